import type { ClosePolicy } from "./close-policy";

const QUICK_MS = 500;
const JITTER_MS = 10_000;
const LONGEST_MS = 120_000;

/**
 * How long to wait before the next attempt, ms. Full jitter: a thousand browsers that lost the same service must not
 * return in the same second. `attempt` counts from 0 since the link was last open; `random` is in [0, 1).
 */
export function retryDelay(kind: Exclude<ClosePolicy["kind"], "end">, attempt: number, random: number): number {
  if (kind === "backoff") return random * Math.min(LONGEST_MS, JITTER_MS * 2 ** attempt);
  if (kind === "jitter" || attempt > 0) return random * JITTER_MS;
  return random * QUICK_MS;
}
