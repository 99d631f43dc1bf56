"use client";

import type { LucideIcon } from "lucide-react";
import type { Role } from "@/domain/energy";
import type { Site } from "@/domain/site";
import { ENERGY, gridColor } from "@/presentation/energy-look";
import type { SiteKeys } from "@/presentation/hooks/use-all-points";
import { usePortfolioTotal } from "@/presentation/hooks/use-portfolio";
import { Card } from "@/presentation/ui/card";
import { Power } from "@/presentation/ui/power";

interface Props {
  readonly sites: readonly Site[];
  readonly keys: ReadonlyMap<number, SiteKeys> | undefined;
}

/** What all shown sites do together, now. */
export function Portfolio(props: Props) {
  return (
    <Card aria-label="All shown sites together" className="grid grid-cols-2 gap-px overflow-hidden bg-line lg:grid-cols-4">
      <Sum {...props} role="pv" words={() => "Generation"} />
      <Sum {...props} role="load" words={() => "Consumption"} />
      <Sum {...props} role="grid" words={(watts) => (watts < 0 ? "Fed into the grid" : "Drawn from the grid")} />
      <Sum {...props} role="battery" words={(watts) => (watts < 0 ? "Batteries charging" : watts > 0 ? "Batteries discharging" : "Batteries idle")} />
    </Card>
  );
}

function Sum({ role, sites, keys, words }: Props & { role: Role; words: (watts: number) => string }) {
  const total = usePortfolioTotal(role, sites, keys);
  const { icon, color } = ENERGY[role];
  const watts = total?.watts ?? null;
  return (
    <div className="bg-surface px-4 py-3">
      <Label icon={icon} color={role === "grid" ? gridColor(watts) : color} text={words(watts ?? 0)} />
      <div className="mt-1 flex items-baseline gap-2">
        <Power watts={watts} className="text-2xl font-semibold tracking-tight" />
        {total && total.missing > 0 && watts !== null ? (
          <span className="text-xs text-faint">{total.missing === 1 ? "without 1 site" : `without ${total.missing} sites`}</span>
        ) : null}
      </div>
    </div>
  );
}

function Label({ icon: Icon, color, text }: { icon: LucideIcon; color: string; text: string }) {
  return (
    <p className="flex items-center gap-2 text-xs text-quiet">
      <Icon aria-hidden className="size-4" strokeWidth={1.75} style={{ color }} />
      {text}
    </p>
  );
}
