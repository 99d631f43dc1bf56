/** The time ranges of the history page. `points` is how many values a line may have: it decides the resolution. */
export interface Range {
  readonly key: string;
  readonly label: string;
  readonly words: string;
  readonly ms: number;
  readonly points: number;
  /** How often the chart is fetched again, ms. */
  readonly refresh: number;
}

const HOUR = 3_600_000;

export const RANGES = [
  { key: "1h", label: "1 h", words: "the last hour", ms: HOUR, points: 1_000, refresh: 15_000 },
  { key: "24h", label: "24 h", words: "the last 24 hours", ms: 24 * HOUR, points: 1_500, refresh: 60_000 },
  { key: "7d", label: "7 d", words: "the last 7 days", ms: 7 * 24 * HOUR, points: 1_000, refresh: 300_000 },
  { key: "30d", label: "30 d", words: "the last 30 days", ms: 30 * 24 * HOUR, points: 1_000, refresh: 300_000 },
] as const satisfies readonly Range[];

export function rangeOf(key: string | null): Range {
  return RANGES.find((range) => range.key === key) ?? RANGES[1];
}
