"use client";

import { useSession } from "@/presentation/hooks/use-session";
import { TokensSection } from "@/presentation/tokens/tokens-section";
import { PageHead } from "@/presentation/ui/page-head";
import { Skeleton } from "@/presentation/ui/skeleton";
import { PasswordSection } from "./password-section";
import { ProfileSection } from "./profile-section";
import { SessionsSection } from "./sessions-section";
import { TwoFactorSection } from "./two-factor-section";

/** Everything about the person who is signed in, and nothing about anyone else. */
export function AccountPage() {
  const state = useSession();
  if (state.status !== "signed_in") return <AccountSkeleton />;
  const { user } = state;
  return (
    <div className="mx-auto max-w-5xl space-y-6">
      <PageHead title="Account" lead={user.email} />
      <ProfileSection user={user} />
      <PasswordSection />
      <TwoFactorSection user={user} />
      <SessionsSection />
      <TokensSection owner={{ person: user.id }} organization={null} />
    </div>
  );
}

function AccountSkeleton() {
  return (
    <div className="mx-auto max-w-5xl space-y-6" aria-busy aria-label="Loading your account">
      <div>
        <Skeleton className="mb-2 h-6 w-28" />
        <Skeleton className="h-4 w-44" />
      </div>
      {["a", "b", "c"].map((key) => (
        <div key={key} className="grid gap-x-10 gap-y-3 border-t pt-6 lg:grid-cols-[15rem_minmax(0,1fr)]">
          <Skeleton className="h-4 w-24" />
          <Skeleton className="h-36 w-full" />
        </div>
      ))}
    </div>
  );
}
