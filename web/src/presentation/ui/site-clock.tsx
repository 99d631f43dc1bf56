"use client";

import { clock, zoneName } from "@/domain/site-time";
import { useNow } from "@/presentation/hooks/use-now";

/** The time where the site is. */
export function SiteClock({ timezone, zone = false }: { timezone: string; zone?: boolean }) {
  const now = useNow();
  if (now === 0) return null;
  return (
    <span className="whitespace-nowrap tabular-nums">
      {clock(now, timezone)}
      {zone ? <span className="ml-1 text-faint">{zoneName(now, timezone)}</span> : null}
    </span>
  );
}
