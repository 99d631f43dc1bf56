"use client";

import { Activity, Building2, ChartLine, Ellipsis, LayoutGrid, ScrollText, Settings2, SlidersHorizontal, UserRound, UsersRound, type LucideIcon } from "lucide-react";
import Link from "next/link";
import { usePathname, useRouter } from "next/navigation";
import { hasSettings } from "@/domain/site";
import { useSites } from "@/presentation/hooks/use-data";
import { useManagedOrganization, useManagedOrganizations } from "@/presentation/hooks/use-organization";
import { cx } from "@/presentation/ui/cx";
import { Menu, MenuItem } from "@/presentation/ui/menu";
import { placeOf, type Place } from "./route";

const MORE: readonly Place["page"][] = ["control", "settings", "organizations", "people", "audit", "account"];
const ENTRY = "flex h-14 w-full flex-col items-center justify-center gap-1 text-2xs font-medium";

/** The way around on a phone. Live and History are those of the site that is open, else of the first one. */
export function BottomBar() {
  const place = placeOf(usePathname());
  const { data: sites } = useSites();
  const siteId = place.siteId ?? sites?.[0]?.id;
  return (
    <nav aria-label="Main" className="fixed inset-x-0 bottom-0 z-30 grid grid-cols-4 border-t bg-surface pb-[env(safe-area-inset-bottom)] md:hidden">
      <Entry href="/" icon={LayoutGrid} label="Overview" current={place.page === "overview"} />
      <Entry href={siteId === undefined ? "/" : `/sites/${siteId}`} icon={Activity} label="Live" current={place.page === "live"} />
      <Entry href={siteId === undefined ? "/" : `/sites/${siteId}/history`} icon={ChartLine} label="History" current={place.page === "history"} />
      <More place={place} siteId={siteId} />
    </nav>
  );
}

function Entry({ href, icon: Icon, label, current }: { href: string; icon: LucideIcon; label: string; current: boolean }) {
  return (
    <Link href={href} aria-current={current ? "page" : undefined} className={cx(ENTRY, current ? "text-accent" : "text-quiet")}>
      <Icon aria-hidden className="size-5" strokeWidth={1.75} />
      {label}
    </Link>
  );
}

/** Everything that the rail has beside these, as far as it is allowed. */
function More({ place, siteId }: { place: Place; siteId: number | undefined }) {
  const router = useRouter();
  const { data: sites } = useSites();
  const managed = useManagedOrganizations();
  const one = useManagedOrganization(place.organizationId);
  const site = sites?.find((each) => each.id === siteId);
  const go = (href: string) => () => {
    router.push(href);
  };
  return (
    <Menu
      trigger={
        <button type="button" className={cx(ENTRY, MORE.includes(place.page) ? "text-accent" : "text-quiet")}>
          <Ellipsis aria-hidden className="size-5" strokeWidth={1.75} />
          More
        </button>
      }
    >
      {site ? <MenuItem icon={SlidersHorizontal} onSelect={go(`/sites/${site.id}/control`)}>Control of {site.name}</MenuItem> : null}
      {site && hasSettings(site) ? <MenuItem icon={Settings2} onSelect={go(`/sites/${site.id}/settings`)}>Settings of {site.name}</MenuItem> : null}
      {one ? <MenuItem icon={UsersRound} onSelect={go(`/organizations/${one.id}/people`)}>People</MenuItem> : null}
      {one ? <MenuItem icon={ScrollText} onSelect={go(`/organizations/${one.id}/audit`)}>Audit log</MenuItem> : null}
      {managed.length > 1 ? <MenuItem icon={Building2} onSelect={go("/organizations")}>Organizations</MenuItem> : null}
      <MenuItem icon={UserRound} onSelect={go("/account")}>Account</MenuItem>
    </Menu>
  );
}
