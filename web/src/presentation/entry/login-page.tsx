"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { useEffect, useState, type SubmitEvent } from "react";
import { explain, Problem } from "@/domain/problem";
import { safeNext } from "@/domain/safe-next";
import { useHydrated } from "@/presentation/hooks/use-hydrated";
import { useSession } from "@/presentation/hooks/use-session";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Field } from "@/presentation/ui/field";
import { EntryShell } from "./entry-shell";
import { FormAlert } from "./form-alert";

const REASONS: Readonly<Record<string, string>> = {
  expired: "Your session has ended. Sign in to continue where you were.",
  revoked: "Your access was changed. Sign in again to continue with what you may see now.",
};

export function LoginPage() {
  const { session } = useServices();
  const state = useSession();
  const router = useRouter();
  const search = useSearchParams();
  const next = safeNext(search.get("next"));
  const reason = search.get("reason");

  // Someone who still has a session need not sign in; someone whose access was just ended must.
  useEffect(() => {
    if (reason === null) void session.restore();
  }, [session, reason]);

  const signedIn = state.status === "signed_in";
  useEffect(() => {
    if (signedIn) router.replace(next);
  }, [signedIn, next, router]);

  return (
    <EntryShell title="Sign in" lead="See what your sites produce, store and use, as it happens.">
      <LoginForm notice={reason === null ? null : (REASONS[reason] ?? null)} leaving={signedIn} />
    </EntryShell>
  );
}

function LoginForm({ notice, leaving }: { notice: string | null; leaving: boolean }) {
  const { session } = useServices();
  const ready = useHydrated();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    try {
      await session.signIn(textOf(form, "email").trim(), textOf(form, "password"));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
      setBusy(false);
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)} method="post" className="space-y-5">
      {problem ? <FormAlert text={loginWords(problem)} /> : notice ? <FormAlert text={notice} calm /> : null}
      <Field label="E-mail" name="email" type="email" autoComplete="username" required autoFocus />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required />
      <Button type="submit" look="primary" className="h-10 w-full" disabled={!ready || busy || leaving}>
        {busy || leaving ? "Signing in…" : "Sign in"}
      </Button>
      <p className="text-xs text-faint">No account or a lost password? An administrator of your organization can help.</p>
    </form>
  );
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

function loginWords(problem: Problem): string {
  if (problem.kind === "signed_out" || problem.kind === "invalid") return "E-mail or password is wrong. Check both and try again.";
  const { what, remedy } = explain(problem);
  return `${problem.kind === "too_many" && problem.detail ? problem.detail : what} ${remedy}`;
}
