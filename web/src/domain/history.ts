import type { Kind } from "./contract.gen";

export type Resolution = "raw" | "1m" | "15m" | "1h";

/** One point over time: parallel arrays, `ts` ascending in ms, null where there is no value. */
export interface Trace {
  readonly key: string;
  readonly name: string;
  readonly unit: string;
  readonly kind: Kind;
  readonly ts: readonly number[];
  readonly value: readonly (number | null)[];
  /** Extremes of each bucket; null for samples. */
  readonly low: readonly (number | null)[] | null;
  readonly high: readonly (number | null)[] | null;
  /** Where the value is not certain. */
  readonly doubt: readonly boolean[];
}

/** A span that is known to hold no samples. */
export interface KnownGap {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

export interface History {
  readonly timezone: string;
  readonly from: number;
  readonly to: number;
  readonly resolution: Resolution;
  readonly traces: readonly Trace[];
  readonly gaps: readonly KnownGap[];
}

const STEP_MS: Readonly<Record<Exclude<Resolution, "raw">, number>> = { "1m": 60_000, "15m": 900_000, "1h": 3_600_000 };

const RESOLUTION_WORDS: Readonly<Record<Resolution, string>> = {
  raw: "Every sample",
  "1m": "1 min averages",
  "15m": "15 min averages",
  "1h": "1 h averages",
};

const GAP_WORDS: Readonly<Record<string, string>> = {
  edge_down: "The edge was not running",
  buffer_full: "The edge's buffer was full",
  buffer_expired: "Too old for the edge's buffer",
  store_corrupt: "The edge's store was damaged",
  poison: "A batch could not be read and was set aside",
};

export function resolutionWords(resolution: Resolution): string {
  return RESOLUTION_WORDS[resolution];
}

export function gapWords(reason: string): string {
  return GAP_WORDS[reason] ?? "Samples are missing";
}

const STEADY_MS = 5_000;
const NEIGHBOURS = 4;

/**
 * For each sample, whether a line leads on to the next one; it breaks where nothing was measured in between. Averages
 * come in fixed steps. Samples come in their edge's pace, which may change: a distance is a break if it is more than
 * three times what is usual just before and just after it.
 */
export function joins(ts: readonly number[], resolution: Resolution): readonly boolean[] {
  const limit = resolution === "raw" ? STEADY_MS : 1.5 * STEP_MS[resolution];
  return ts.map((at, index) => {
    const next = ts[index + 1];
    if (next === undefined) return false;
    if (next - at <= limit) return true;
    return resolution === "raw" && next - at <= 3.2 * usualStepAround(ts, index);
  });
}

/** The larger of the usual distances just before and just after the one from `index` to the next sample, ms. */
function usualStepAround(ts: readonly number[], index: number): number {
  const before = middleOf(stepsOf(ts.slice(Math.max(0, index - NEIGHBOURS), index + 1)));
  const after = middleOf(stepsOf(ts.slice(index + 1, index + 2 + NEIGHBOURS)));
  return Math.max(before, after);
}

function stepsOf(ts: readonly number[]): number[] {
  return ts.slice(1).map((at, index) => at - (ts[index] ?? at));
}

function middleOf(steps: number[]): number {
  return steps.sort((a, b) => a - b)[steps.length >> 1] ?? 0;
}

/** Rows nearer to each other than this become one; devices of one poll are read some ms apart. */
export function bucketOf(resolution: Resolution, from: number, to: number): number {
  return resolution === "raw" ? Math.max(1_000, (to - from) / 600) : 1;
}

/** Index of the last sample at or before `at`; -1 where there is none. */
export function indexAt(ts: readonly number[], at: number): number {
  let low = 0;
  let high = ts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ts[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
