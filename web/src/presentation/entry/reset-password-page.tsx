"use client";

import { useRouter } from "next/navigation";
import { useForm } from "@/presentation/hooks/use-form";
import { useHydrated } from "@/presentation/hooks/use-hydrated";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { FormAlert } from "@/presentation/ui/form-alert";
import { NewPasswordField } from "@/presentation/ui/new-password-field";
import { EntryShell } from "./entry-shell";
import { BackToSignIn } from "./forgot-password-page";
import { useLinkToken } from "./use-link-token";

export function ResetPasswordPage() {
  const token = useLinkToken();
  return (
    <EntryShell title="Set a new password" lead="It replaces the old one, and every device that is signed in has to sign in again.">
      {token === "" ? (
        <FormAlert text="This link has no token. Open the whole link from the message, or ask for a new one." />
      ) : (
        <ResetForm token={token ?? ""} />
      )}
      <BackToSignIn />
    </EntryShell>
  );
}

function ResetForm({ token }: { token: string }) {
  const { auth } = useServices();
  const router = useRouter();
  const ready = useHydrated();
  const form = useForm(["new"], async (values) => {
    await auth.resetPassword(token, values.text("password"));
    router.replace("/login?reason=reset");
  });
  return (
    <form onSubmit={form.onSubmit} method="post" className="space-y-5">
      {form.words ? <FormAlert text={form.words} /> : null}
      <NewPasswordField label="New password" autoFocus problem={form.wrong("new")} />
      <Button type="submit" look="primary" className="h-10 w-full" disabled={!ready || form.busy || token === ""}>
        {form.busy ? "Saving…" : "Set the new password"}
      </Button>
    </form>
  );
}
