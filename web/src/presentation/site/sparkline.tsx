"use client";

import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { NO_SAMPLES, WINDOW_MS } from "@/application/live-traces";
import { sparkPath } from "@/domain/spark-path";
import { useNow } from "@/presentation/hooks/use-now";
import { useServices } from "@/presentation/services";

const WIDTH = 120;
const HEIGHT = 32;

/** The shape of the last quarter of an hour; its figures are in the chart. */
export function Sparkline({ site, pointKey, color }: { site: string; pointKey: string; color: string }) {
  const { traces } = useServices();
  useEffect(() => traces.keep(site, [pointKey]), [traces, site, pointKey]);
  const subscribe = useCallback((listener: () => void) => traces.subscribe(site, listener), [traces, site]);
  const samples = useSyncExternalStore(subscribe, () => traces.samples(site, pointKey), () => NO_SAMPLES);
  const now = useNow();
  const path = useMemo(
    () => sparkPath(samples.ts, samples.value, now - WINDOW_MS, now, WIDTH, HEIGHT),
    [samples, now],
  );
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="mb-1 h-8 min-w-0 flex-1">
      <path d={path} fill="none" stroke={color} strokeWidth={1.5} strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
