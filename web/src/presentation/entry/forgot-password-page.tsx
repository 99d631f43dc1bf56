"use client";

import { MailCheck } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { useForm } from "@/presentation/hooks/use-form";
import { useHydrated } from "@/presentation/hooks/use-hydrated";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Field } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { EntryShell } from "./entry-shell";

/** Answers everyone alike: who has an account here is nobody's to find out. */
export function ForgotPasswordPage() {
  const { auth } = useServices();
  const ready = useHydrated();
  const [asked, setAsked] = useState(false);
  const form = useForm(["email"], async (values) => {
    await auth.forgotPassword(values.trimmed("email"));
    setAsked(true);
  });
  return (
    <EntryShell title="Forgot your password?" lead="Say which address you sign in with, and a link to set a new password is sent to it.">
      {asked ? (
        <div className="space-y-5">
          <FormAlert calm icon={MailCheck} text="If there is an account with this address, a message is on its way to it. Its link works once, and for a short time only." />
          <p className="text-xs text-faint">Nothing arrived after a few minutes? Look where unwanted mail is kept, or ask an administrator of your organization.</p>
        </div>
      ) : (
        <form onSubmit={form.onSubmit} method="post" className="space-y-5">
          {form.words ? <FormAlert text={form.words} /> : null}
          <Field label="E-mail" name="email" type="email" autoComplete="username" required autoFocus problem={form.wrong("email")} />
          <Button type="submit" look="primary" className="h-10 w-full" disabled={!ready || form.busy}>
            {form.busy ? "Sending…" : "Send the link"}
          </Button>
        </form>
      )}
      <BackToSignIn />
    </EntryShell>
  );
}

export function BackToSignIn() {
  return (
    <p className="mt-6 text-[13px]">
      <Link href="/login" className="text-quiet underline-offset-2 hover:text-ink hover:underline">
        Back to sign in
      </Link>
    </p>
  );
}
