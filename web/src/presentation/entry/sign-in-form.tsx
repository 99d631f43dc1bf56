"use client";

import Link from "next/link";
import { useRef, useState, type ReactNode, type SubmitEvent } from "react";
import { explain, Problem } from "@/domain/problem";
import { FormValues, useSending } from "@/presentation/hooks/use-form";
import { useHydrated } from "@/presentation/hooks/use-hydrated";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Field } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { CodeField } from "./code-field";

interface Credentials {
  readonly email: string;
  readonly password: string;
}

const CODE_NEEDED = "code_needed";

/** E-mail and password, then the second factor where the account has one. `email`: the only one that may sign in here. */
export function SignInForm({ notice, leaving, email, end }: {
  notice: string | null; leaving: boolean; email?: string; end?: ReactNode;
}) {
  const { session } = useServices();
  const { busy, problem, send, clear } = useSending();
  // Kept for the second step only, and only in memory.
  const [first, setFirst] = useState<Credentials | null>(null);

  const signIn = (credentials: Credentials, code?: string) =>
    send(async () => {
      try {
        await session.signIn(credentials.email, credentials.password, code);
      } catch (error) {
        const wanted = error instanceof Problem && error.code === CODE_NEEDED;
        if (!wanted || code !== undefined) throw error;
        setFirst(credentials);
      }
    });

  if (first) {
    return (
      <CodeStep
        busy={busy || leaving}
        problem={problem}
        onCode={(code) => void signIn(first, code)}
        onBack={() => {
          clear();
          setFirst(null);
        }}
      />
    );
  }
  return <PasswordStep notice={notice} busy={busy || leaving} problem={problem} email={email} end={end} onSubmit={(credentials) => void signIn(credentials)} />;
}

function PasswordStep({ notice, busy, problem, email, end, onSubmit }: {
  notice: string | null; busy: boolean; problem: Problem | null; email: string | undefined; end: ReactNode; onSubmit: (credentials: Credentials) => void;
}) {
  const ready = useHydrated();
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const values = new FormValues(new FormData(event.currentTarget));
    onSubmit({ email: email ?? values.trimmed("email"), password: values.text("password") });
  };
  return (
    <form onSubmit={submit} method="post" className="space-y-5">
      {problem ? <FormAlert text={loginWords(problem)} /> : notice ? <FormAlert text={notice} calm /> : null}
      <Field label="E-mail" name="email" type="email" autoComplete="username" required autoFocus={email === undefined} {...(email === undefined ? {} : { value: email, readOnly: true })} />
      <div>
        <Field label="Password" name="password" type="password" autoComplete="current-password" required autoFocus={email !== undefined} />
        <p className="mt-2 text-right text-xs">
          <Link href="/forgot-password" className="text-quiet underline-offset-2 hover:text-ink hover:underline">
            Forgot your password?
          </Link>
        </p>
      </div>
      <Button type="submit" look="primary" className="h-10 w-full" disabled={!ready || busy}>
        {busy ? "Signing in…" : "Sign in"}
      </Button>
      {end}
    </form>
  );
}

function CodeStep({ busy, problem, onCode, onBack }: { busy: boolean; problem: Problem | null; onCode: (code: string) => void; onBack: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    onCode(new FormValues(new FormData(event.currentTarget)).text("code").replaceAll(/\s/g, ""));
    form.current?.reset();
  };
  return (
    <form ref={form} onSubmit={submit} method="post" className="space-y-5" data-testid="code-step">
      {problem ? <FormAlert text={codeWords(problem)} /> : <FormAlert calm text="Your password is right. This account also asks for a code." />}
      <CodeField autoFocus />
      <Button type="submit" look="primary" className="h-10 w-full" disabled={busy}>
        {busy ? "Signing in…" : "Sign in"}
      </Button>
      <Button look="bare" className="h-10 w-full" onClick={onBack}>
        Use another account
      </Button>
    </form>
  );
}

function loginWords(problem: Problem): string {
  if (problem.kind === "signed_out" || problem.kind === "invalid") return "E-mail or password is wrong. Check both and try again.";
  return otherWords(problem);
}

function codeWords(problem: Problem): string {
  if (problem.kind === "signed_out" || problem.kind === "invalid") {
    return "This code is not right, or no longer. Wait for the next one, or use a recovery code that you have not used yet.";
  }
  return otherWords(problem);
}

function otherWords(problem: Problem): string {
  const { what, remedy } = explain(problem);
  return `${problem.kind === "too_many" && problem.detail ? problem.detail : what} ${remedy}`;
}
