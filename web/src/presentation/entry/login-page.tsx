"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { useEffect } from "react";
import { safeNext } from "@/domain/safe-next";
import { useSession } from "@/presentation/hooks/use-session";
import { useServices } from "@/presentation/services";
import { EntryShell } from "./entry-shell";
import { SignInForm } from "./sign-in-form";

const REASONS: Readonly<Record<string, string>> = {
  expired: "Your session has ended. Sign in to continue where you were.",
  reset: "Your password is changed. Sign in with the new one.",
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
      <SignInForm
        notice={reason === null ? null : (REASONS[reason] ?? null)}
        leaving={signedIn}
        end={<p className="text-xs text-faint">No account? An administrator of your organization can invite you.</p>}
      />
    </EntryShell>
  );
}
