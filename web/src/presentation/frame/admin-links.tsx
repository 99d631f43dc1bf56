"use client";

import { Building2, ExternalLink, ScrollText, ShieldCheck, UsersRound, type LucideIcon } from "lucide-react";
import { useManagedOrganization, useManagedOrganizations } from "@/presentation/hooks/use-organization";
import { useSession } from "@/presentation/hooks/use-session";
import { useConfig } from "@/presentation/services";
import { RailLink } from "./rail-link";
import type { Place } from "./route";

/** What somebody may administer, as far as the server says so; nothing for everyone else. */
export function AdminLinks({ place }: { place: Place }) {
  const session = useSession();
  const { adminUrl } = useConfig();
  const managed = useManagedOrganizations();
  const one = useManagedOrganization(place.organizationId);
  const platform = session.status === "signed_in" && session.user.platformAdmin;
  if (managed.length === 0 && !platform) return null;
  return (
    <div className="space-y-px border-t p-3">
      <p className="mb-1 truncate px-2 text-xs font-medium text-faint">{one && managed.length > 1 ? `Admin of ${one.name}` : "Admin"}</p>
      {one ? (
        <>
          <Entry href={`/organizations/${one.id}/people`} icon={UsersRound} current={place.page === "people"} label="People" />
          <Entry href={`/organizations/${one.id}/audit`} icon={ScrollText} current={place.page === "audit"} label="Audit log" />
        </>
      ) : null}
      {managed.length > 1 ? <Entry href="/organizations" icon={Building2} current={place.page === "organizations"} label="Organizations" /> : null}
      {platform ? (
        <a href={adminUrl} target="_blank" rel="noreferrer" className="flex h-8 items-center gap-2.5 rounded-lg px-2 text-[13px] text-quiet hover:bg-hover hover:text-ink">
          <ShieldCheck aria-hidden className="size-4" strokeWidth={1.75} />
          Platform
          <ExternalLink aria-label="opens in a new tab" className="ml-auto size-3.5 text-faint" />
        </a>
      ) : null}
    </div>
  );
}

function Entry({ href, icon: Icon, current, label }: { href: string; icon: LucideIcon; current: boolean; label: string }) {
  return (
    <RailLink href={href} current={current} icon={<Icon aria-hidden className="size-4" strokeWidth={1.75} />}>
      {label}
    </RailLink>
  );
}
