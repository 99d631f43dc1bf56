"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";
import useSWR from "swr";
import { joinAsMyself, joinAsNew } from "@/application/accept-invitation";
import type { OpenInvitation } from "@/domain/people";
import { explain, Problem } from "@/domain/problem";
import { roleName } from "@/domain/roles";
import { useForm } from "@/presentation/hooks/use-form";
import { useHydrated } from "@/presentation/hooks/use-hydrated";
import { useSession } from "@/presentation/hooks/use-session";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Field } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { NewPasswordField } from "@/presentation/ui/new-password-field";
import { Skeleton } from "@/presentation/ui/skeleton";
import { EntryShell } from "./entry-shell";
import { SignInForm } from "./sign-in-form";
import { useLinkToken } from "./use-link-token";

export function InvitationPage() {
  const { auth, session } = useServices();
  const token = useLinkToken();
  const { data, error } = useSWR<OpenInvitation, unknown>(token ? ["invitation", token] : null, () => auth.invitation(token ?? ""), {
    shouldRetryOnError: false, revalidateOnFocus: false,
  });
  useEffect(() => {
    void session.restore();
  }, [session]);
  if (token === "") return <Unusable words="This link has no token. Open the whole link from the message, or ask for a new invitation." />;
  if (error !== undefined) return <Unusable words={refusal(error)} />;
  if (!data) return <Waiting />;
  return (
    <EntryShell title={`Join ${data.organization}`} lead={`You are invited as ${roleName(data.role).toLowerCase()}, with the address ${data.email}.`}>
      {data.hasAccount ? <WithAccount token={token ?? ""} invitation={data} /> : <NewAccount token={token ?? ""} invitation={data} />}
    </EntryShell>
  );
}

function NewAccount({ token, invitation }: { token: string; invitation: OpenInvitation }) {
  const { auth, session } = useServices();
  const router = useRouter();
  const ready = useHydrated();
  const form = useForm(["name", "password"], async (values) => {
    await joinAsNew(auth, session, token, values.trimmed("name"), values.text("password"));
    router.replace("/");
  });
  return (
    <form onSubmit={form.onSubmit} method="post" className="space-y-5">
      {form.words ? <FormAlert text={form.words} /> : null}
      <Field label="E-mail" name="email" type="email" autoComplete="username" value={invitation.email} readOnly />
      <Field label="Your name" name="name" autoComplete="name" required autoFocus problem={form.wrong("name")} />
      <NewPasswordField problem={form.wrong("password")} />
      <Button type="submit" look="primary" className="h-10 w-full" disabled={!ready || form.busy}>
        {form.busy ? "Joining…" : `Create the account and join`}
      </Button>
    </form>
  );
}

/** Someone with an account accepts as themselves, so they have to be signed in as that. */
function WithAccount({ token, invitation }: { token: string; invitation: OpenInvitation }) {
  const { session } = useServices();
  const state = useSession();
  if (state.status === "unknown") return <Skeleton className="h-10 w-full" />;
  if (state.status !== "signed_in") {
    return <SignInForm email={invitation.email} leaving={false} notice={`There is an account with this address. Sign in with it to join ${invitation.organization}.`} />;
  }
  if (state.user.email === invitation.email) return <Accept token={token} invitation={invitation} />;
  return (
    <div className="space-y-5">
      <FormAlert calm text={`You are signed in as ${state.user.email}. The invitation is for ${invitation.email}.`} />
      <Button look="primary" className="h-10 w-full" onClick={() => void session.signOut().catch(ignoreUnreachable)}>
        Sign out, and sign in as {invitation.email}
      </Button>
    </div>
  );
}

function Accept({ token, invitation }: { token: string; invitation: OpenInvitation }) {
  const { account, session } = useServices();
  const router = useRouter();
  const form = useForm([], async () => {
    await joinAsMyself(account, session, token);
    router.replace("/");
  });
  return (
    <form onSubmit={form.onSubmit} className="space-y-5">
      {form.words ? <FormAlert text={form.words} /> : null}
      <p className="text-quiet">You are signed in as {invitation.email}.</p>
      <Button type="submit" look="primary" className="h-10 w-full" disabled={form.busy}>
        {form.busy ? "Joining…" : `Join ${invitation.organization}`}
      </Button>
    </form>
  );
}

function Unusable({ words }: { words: string }) {
  return (
    <EntryShell title="Invitation" lead="An invitation works once, and until it expires.">
      <FormAlert text={words} />
    </EntryShell>
  );
}

function Waiting() {
  return (
    <EntryShell title="Invitation" lead="Looking it up…">
      <div className="space-y-5" aria-busy>
        <Skeleton className="h-10 w-full" />
        <Skeleton className="h-10 w-full" />
      </div>
    </EntryShell>
  );
}

function refusal(error: unknown): string {
  if (error instanceof Problem && ["not_found", "invalid", "signed_out", "forbidden"].includes(error.kind)) {
    return "This invitation cannot be used: it was accepted already, withdrawn, or has expired. Ask whoever invited you for a new one.";
  }
  const { what, remedy } = explain(error);
  return `${what} ${remedy}`;
}

/** The session is over in this browser either way. */
function ignoreUnreachable(error: unknown): void {
  if (!(error instanceof Problem)) throw error;
}
