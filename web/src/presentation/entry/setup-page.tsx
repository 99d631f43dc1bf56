"use client";

import { useRouter } from "next/navigation";
import { useEffect, useState, useSyncExternalStore, type SubmitEvent } from "react";
import { createFirstAdmin } from "@/application/create-first-admin";
import { explain, Problem } from "@/domain/problem";
import { useHydrated } from "@/presentation/hooks/use-hydrated";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Field } from "@/presentation/ui/field";
import { EntryShell } from "./entry-shell";
import { FormAlert } from "./form-alert";

let token: string | null = null;

/** The one-time token is in the fragment, which browsers never send; it also leaves the address bar at once. */
function takeToken(): string {
  if (token === null) {
    token = decodeURIComponent(window.location.hash.replace(/^#(token=)?/, ""));
    window.history.replaceState(window.history.state, "", window.location.pathname);
  }
  return token;
}

const never = () => () => undefined;

export function SetupPage() {
  const known = useSyncExternalStore(never, takeToken, () => null);
  return (
    <EntryShell title="Set up" lead="Create the first administrator and the organization that owns your sites.">
      {known === "" ? <FormAlert text="This link has no setup token. Open the whole link that the start of the system printed, or have a new one printed." /> : <SetupForm token={known ?? ""} />}
    </EntryShell>
  );
}

function SetupForm({ token: setupToken }: { token: string }) {
  const { auth, session } = useServices();
  const router = useRouter();
  const ready = useHydrated();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    router.prefetch("/");
  }, [router]);

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => {
      const value = form.get(name);
      return typeof value === "string" ? value : "";
    };
    setBusy(true);
    setProblem(null);
    try {
      await createFirstAdmin(auth, session, {
        token: setupToken,
        email: text("email").trim(),
        name: text("name").trim(),
        password: text("password"),
        organization: text("organization").trim(),
      });
      router.replace("/");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
      setBusy(false);
    }
  };

  const wrong = (field: string) => problem?.fields.find((each) => each.field === field)?.message;
  const words = problem ? explain(problem) : null;
  return (
    <form onSubmit={(event) => void submit(event)} method="post" className="space-y-5">
      {words ? <FormAlert text={problem?.fields.length ? "Correct what is marked and try again." : (problem?.detail ?? `${words.what} ${words.remedy}`)} /> : null}
      <Field label="Organization" name="organization" autoComplete="organization" required autoFocus problem={wrong("organization")} />
      <Field label="Your name" name="name" autoComplete="name" required problem={wrong("name")} />
      <Field label="E-mail" name="email" type="email" autoComplete="username" required problem={wrong("email")} />
      <Field label="Password" name="password" type="password" autoComplete="new-password" required minLength={10} hint="At least 10 characters." problem={wrong("password")} />
      <Button type="submit" look="primary" className="h-10 w-full" disabled={!ready || busy || setupToken === ""}>
        {busy ? "Creating…" : "Create and sign in"}
      </Button>
    </form>
  );
}
