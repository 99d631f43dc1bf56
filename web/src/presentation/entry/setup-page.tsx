"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { createFirstAdmin } from "@/application/create-first-admin";
import { useForm } from "@/presentation/hooks/use-form";
import { useHydrated } from "@/presentation/hooks/use-hydrated";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Field } from "@/presentation/ui/field";
import { NewPasswordField } from "@/presentation/ui/new-password-field";
import { EntryShell } from "./entry-shell";
import { useLinkToken } from "./use-link-token";
import { FormAlert } from "@/presentation/ui/form-alert";

export function SetupPage() {
  const known = useLinkToken();
  return (
    <EntryShell title="Set up" lead="Create the first administrator and the organization that owns your sites.">
      {known === "" ? <FormAlert text="This link has no setup token. Open the whole link that the start of the system printed, or have a new one printed." /> : <SetupForm token={known ?? ""} />}
    </EntryShell>
  );
}

function SetupForm({ token }: { token: string }) {
  const { auth, session } = useServices();
  const router = useRouter();
  const ready = useHydrated();
  useEffect(() => {
    router.prefetch("/");
  }, [router]);
  const form = useForm(["organization", "name", "email", "password"], async (values) => {
    await createFirstAdmin(auth, session, {
      token,
      email: values.trimmed("email"),
      name: values.trimmed("name"),
      password: values.text("password"),
      organization: values.trimmed("organization"),
    });
    router.replace("/");
  });
  return (
    <form onSubmit={form.onSubmit} method="post" className="space-y-5">
      {form.words ? <FormAlert text={form.words} /> : null}
      <Field label="Organization" name="organization" autoComplete="organization" required autoFocus problem={form.wrong("organization")} />
      <Field label="Your name" name="name" autoComplete="name" required problem={form.wrong("name")} />
      <Field label="E-mail" name="email" type="email" autoComplete="username" required problem={form.wrong("email")} />
      <NewPasswordField problem={form.wrong("password")} />
      <Button type="submit" look="primary" className="h-10 w-full" disabled={!ready || form.busy || token === ""}>
        {form.busy ? "Creating…" : "Create and sign in"}
      </Button>
    </form>
  );
}
