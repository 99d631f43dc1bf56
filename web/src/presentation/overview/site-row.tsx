"use client";

import { ArrowDownLeft, ArrowUpRight, type LucideIcon } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { powerKeys } from "@/domain/energy";
import { connectionLabel, connectionSentence } from "@/domain/link/connection-words";
import type { Site } from "@/domain/site";
import { fixed } from "@/domain/quantity";
import { ENERGY, gridColor } from "@/presentation/energy-look";
import type { SiteKeys } from "@/presentation/hooks/use-all-points";
import { useBalance } from "@/presentation/hooks/use-balance";
import { useSiteConnection } from "@/presentation/hooks/use-connection";
import { useLiveSum } from "@/presentation/hooks/use-live-point";
import { cx } from "@/presentation/ui/cx";
import { Power } from "@/presentation/ui/power";
import { SiteClock } from "@/presentation/ui/site-clock";
import { StateDot } from "@/presentation/ui/state-dot";

const NONE = powerKeys([]);
const COLUMNS = "lg:grid-cols-[minmax(13rem,1.6fr)_repeat(4,minmax(7rem,1fr))_5rem_7.5rem]";

export function SiteListHead() {
  const cell = "text-right";
  return (
    <div aria-hidden className={cx("hidden h-9 items-center gap-4 border-b px-4 text-xs text-faint lg:grid", COLUMNS)}>
      <span>Site</span>
      <span className={cell}>Grid</span>
      <span className={cell}>PV</span>
      <span className={cell}>Battery</span>
      <span className={cell}>Building</span>
      <span className={cell}>Local time</span>
      <span className={cell}>State</span>
    </div>
  );
}

export function SiteRow({ site, keys }: { site: Site; keys: SiteKeys | undefined }) {
  const balance = useBalance(site.wire, keys?.power ?? NONE);
  const charge = useLiveSum(site.wire, keys?.charge.slice(0, 1) ?? []);
  const connection = useSiteConnection(site.wire);
  const old = connection.status === "stale" || connection.status === "offline";
  const grid = balance.grid;
  const battery = balance.battery;
  return (
    <li
      data-testid="site-row"
      data-site={site.wire}
      data-state={connection.status}
      className={cx("relative grid grid-cols-2 items-center gap-x-4 gap-y-3 px-4 py-3 transition-colors hover:bg-hover lg:h-16 lg:py-0", COLUMNS)}
    >
      <div className="col-span-2 flex min-w-0 items-center gap-3 lg:col-span-1">
        <StateDot status={connection.status} className="size-2.5" />
        <div className="min-w-0">
          <Link href={`/sites/${site.id}`} className="block truncate font-medium after:absolute after:inset-0">
            {site.name}
          </Link>
          <p className="truncate text-xs text-faint">{site.address || site.timezone.replaceAll("_", " ")}</p>
        </div>
      </div>
      <Figure label="Grid" watts={grid} old={old} role="grid" note={direction(grid, "import", "export")} icon={grid === null || grid === undefined || Math.abs(grid) < 1 ? null : grid < 0 ? ArrowUpRight : ArrowDownLeft} />
      <Figure label="PV" watts={balance.pv} old={old} role="pv" />
      <Figure label="Battery" watts={battery} old={old} role="battery" note={charge === null || charge === undefined ? direction(battery, "discharging", "charging") : `${fixed(charge, 0)} %${battery ? ` · ${direction(battery, "discharging", "charging")}` : ""}`} />
      <Figure label="Building" watts={balance.load} old={old} role="load" />
      <div className="col-span-2 flex justify-between text-xs text-quiet lg:contents">
        <p className="lg:text-right lg:text-sm">
          <span className="lg:hidden">Local time </span>
          <SiteClock timezone={site.timezone} />
        </p>
        <p className="text-right" title={connectionSentence(connection)}>
          {connectionLabel(connection)}
        </p>
      </div>
    </li>
  );
}

function direction(watts: number | null | undefined, positive: string, negative: string): string {
  if (watts === null || watts === undefined || Math.abs(watts) < 1) return "";
  return watts > 0 ? positive : negative;
}

function Figure({ label, watts, old, role, note = "", icon: Icon = null }: {
  label: string; watts: number | null | undefined; old: boolean; role: keyof typeof ENERGY; note?: string; icon?: LucideIcon | null;
}): ReactNode {
  const { icon: RoleIcon, color } = ENERGY[role];
  const tint = role === "grid" ? gridColor(watts) : color;
  // A site that has no battery has an empty cell, not a dash: nothing is missing.
  if (watts === undefined) return <div className="hidden lg:block" />;
  return (
    <div className={cx("min-w-0 lg:text-right", old && "opacity-50")}>
      <p className="mb-0.5 flex items-center gap-1.5 text-xs text-faint lg:hidden">
        <RoleIcon aria-hidden className="size-3.5" style={{ color: tint }} />
        {label}
      </p>
      <p className="flex items-center gap-1.5 font-medium lg:justify-end">
        <RoleIcon aria-hidden className="hidden size-3.5 lg:block" style={{ color: tint }} />
        <Power watts={watts} />
      </p>
      <p className="flex h-4 items-center gap-0.5 text-2xs text-faint lg:justify-end">
        {Icon ? <Icon aria-hidden className="size-3" /> : null}
        {note}
      </p>
    </div>
  );
}
