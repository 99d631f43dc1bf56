"use client";

import { LogOut, ShieldCheck, UserRound } from "lucide-react";
import { useRouter } from "next/navigation";
import { initials } from "@/domain/people";
import { Problem } from "@/domain/problem";
import { useSession } from "@/presentation/hooks/use-session";
import { useConfig, useServices } from "@/presentation/services";
import { Menu, MenuItem, MenuLine } from "@/presentation/ui/menu";
import { Skeleton } from "@/presentation/ui/skeleton";

export function ProfileMenu() {
  const { session } = useServices();
  const { adminUrl } = useConfig();
  const state = useSession();
  const router = useRouter();
  if (state.status !== "signed_in") return <Skeleton className="size-7 rounded-full" />;
  const { user } = state;
  const leave = () => {
    session.signOut().catch((error: unknown) => {
      // The session is over in this browser either way; the server ends its part when the cookie does.
      if (!(error instanceof Problem)) throw error;
    });
  };
  return (
    <Menu
      trigger={
        <button type="button" aria-label={`Account of ${user.name || user.email}`} data-testid="profile" className="flex size-8 items-center justify-center rounded-full">
          <span className="hairline flex size-7 items-center justify-center rounded-full bg-sunken text-2xs font-semibold text-quiet">
            {initials(user.name || user.email)}
          </span>
        </button>
      }
    >
      <div className="px-2 py-1.5">
        <p className="truncate text-[13px] font-medium">{user.name || user.email}</p>
        <p className="truncate text-xs text-faint">{user.email}</p>
      </div>
      <MenuLine />
      <MenuItem
        icon={UserRound}
        onSelect={() => {
          router.push("/account");
        }}
      >
        Account
      </MenuItem>
      {user.platformAdmin ? (
        <MenuItem icon={ShieldCheck} onSelect={() => window.open(adminUrl, "_blank", "noreferrer")}>
          Administration
        </MenuItem>
      ) : null}
      <MenuItem icon={LogOut} onSelect={leave}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
