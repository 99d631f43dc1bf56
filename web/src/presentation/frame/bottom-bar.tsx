"use client";

import { Activity, ChartLine, LayoutGrid, type LucideIcon } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useSites } from "@/presentation/hooks/use-data";
import { cx } from "@/presentation/ui/cx";
import { placeOf } from "./route";

/** The way around on a phone. Live and History are those of the site that is open, else of the first one. */
export function BottomBar() {
  const place = placeOf(usePathname());
  const { data: sites } = useSites();
  const siteId = place.siteId ?? sites?.[0]?.id;
  return (
    <nav aria-label="Main" className="fixed inset-x-0 bottom-0 z-30 grid grid-cols-3 border-t bg-surface pb-[env(safe-area-inset-bottom)] md:hidden">
      <Entry href="/" icon={LayoutGrid} label="Overview" current={place.page === "overview"} />
      <Entry href={siteId === undefined ? "/" : `/sites/${siteId}`} icon={Activity} label="Live" current={place.page === "live"} />
      <Entry href={siteId === undefined ? "/" : `/sites/${siteId}/history`} icon={ChartLine} label="History" current={place.page === "history"} />
    </nav>
  );
}

function Entry({ href, icon: Icon, label, current }: { href: string; icon: LucideIcon; label: string; current: boolean }) {
  return (
    <Link
      href={href}
      aria-current={current ? "page" : undefined}
      className={cx("flex h-14 flex-col items-center justify-center gap-1 text-2xs font-medium", current ? "text-accent" : "text-quiet")}
    >
      <Icon aria-hidden className="size-5" strokeWidth={1.75} />
      {label}
    </Link>
  );
}
