"use client";

import { useCallback, useEffect, useSyncExternalStore } from "react";
import { WINDOW_MS } from "@/application/live-traces";
import { indexAt } from "@/domain/history";
import { sparkPath } from "@/domain/spark-path";
import { everySecond, readNow } from "@/presentation/hooks/use-now";
import { useServices } from "@/presentation/services";

const REDRAW_MS = 5_000;
const WIDTH = 120;
const HEIGHT = 32;

/** The shape of the last quarter of an hour, drawn anew every few seconds; its figures are in the chart. */
export function Sparkline({ site, pointKey, color }: { site: string; pointKey: string; color: string }) {
  const { traces } = useServices();
  useEffect(() => traces.keep(site, [pointKey]), [traces, site, pointKey]);
  // The path is a text, so it is drawn again only when it is another one.
  const read = useCallback(() => {
    const to = Math.ceil(readNow() / REDRAW_MS) * REDRAW_MS;
    const samples = traces.samples(site, pointKey);
    const shown = indexAt(samples.ts, to - REDRAW_MS) + 1;
    return sparkPath(samples.ts.slice(0, shown), samples.value.slice(0, shown), to - WINDOW_MS, to, WIDTH, HEIGHT);
  }, [traces, site, pointKey]);
  const path = useSyncExternalStore(everySecond, read, () => "");
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="mb-1 h-8 min-w-0 flex-1">
      <path d={path} fill="none" stroke={color} strokeWidth={1.5} strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
