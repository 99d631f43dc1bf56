"use client";

import { stateWord } from "@/domain/quantity";
import { reasonWord } from "@/domain/quality";
import type { Point, Site } from "@/domain/site";
import { useStale } from "@/presentation/hooks/use-age";
import { useLivePoint } from "@/presentation/hooks/use-live-point";
import { liveAttributes } from "@/presentation/live-attributes";
import { cx } from "@/presentation/ui/cx";

/** What a device says of itself: running, idle, fault. Only a fault is red. */
export function StateTile({ site, point }: { site: Site; point: Point }) {
  const live = useLivePoint(site.wire, point.key);
  const stale = useStale(live?.ts ?? 0, live?.every ?? 0);
  const word = live === null ? "—" : live.value === null ? reasonWord(live.reason ?? "other") : stateWord(live.value, point.states);
  const fault = /fault|alarm|error/i.test(word);
  return (
    <span
      {...liveAttributes(point.key, live, stale)}
      title={point.name}
      className={cx("ml-auto shrink-0 rounded-md px-1.5 py-0.5 text-xs", fault ? "bg-alarm-soft font-medium text-alarm" : "bg-sunken text-quiet", stale && "opacity-60")}
    >
      {word}
    </span>
  );
}
