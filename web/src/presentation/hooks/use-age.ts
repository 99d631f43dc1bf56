import { useCallback, useSyncExternalStore } from "react";
import { ageWord } from "@/domain/age";
import { useServices } from "@/presentation/services";
import { everySecond } from "./use-now";

const STALE_MS = 8_000;
const STALE_INTERVALS = 2.5;

/** The age of a sample in words; repaints only when the words change. `ts` by the service's clock, ms; 0 for none. */
export function useAge(ts: number): string {
  const { link, clock } = useServices();
  const read = useCallback(() => (ts === 0 ? "" : ageWord(Math.max(0, clock.now() - link.skew() - ts))), [link, clock, ts]);
  return useSyncExternalStore(everySecond, read, () => "");
}

/** True once a sample is older than its point's pace allows: 8 s, longer only for a slower point. */
export function useStale(ts: number, every: number): boolean {
  const { link, clock } = useServices();
  const read = useCallback(
    () => ts !== 0 && clock.now() - link.skew() - ts > Math.max(STALE_MS, STALE_INTERVALS * every),
    [link, clock, ts, every],
  );
  return useSyncExternalStore(everySecond, read, () => false);
}
