import type { LivePoint } from "@/application/live-points";

/** What a live figure tells browser tests and scripts: the raw value in the base unit, its time (ms) and quality. */
export function liveAttributes(key: string, live: LivePoint | null, stale: boolean): Record<`data-${string}`, string> {
  return {
    "data-testid": "live-point",
    "data-point": key,
    "data-value": live?.value === null || live === null ? "" : String(live.value),
    "data-ts": live ? String(live.ts) : "",
    "data-quality": live?.quality ?? "",
    "data-stale": String(stale),
  };
}
