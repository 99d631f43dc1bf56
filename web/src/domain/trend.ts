export type Trend = "up" | "down" | "flat";

/** What a point was like lately: a slow average, and how large it gets. */
export interface Course {
  readonly average: number;
  readonly size: number;
  readonly ts: number;
}

const MEMORY_MS = 60_000;

export function follow(course: Course | null, value: number, ts: number): Course {
  if (course === null) return { average: value, size: Math.abs(value), ts };
  const weight = 1 - Math.exp(-Math.max(0, ts - course.ts) / MEMORY_MS);
  return {
    average: course.average + (value - course.average) * weight,
    size: Math.max(Math.abs(value), course.size * (1 - weight / 10)),
    ts: Math.max(ts, course.ts),
  };
}

/** Rising or falling against the last minute; within 1.5 % of its size it is flat, so that noise shows no arrows. */
export function trendOf(course: Course | null, value: number | null): Trend {
  if (course === null || value === null) return "flat";
  const change = value - course.average;
  if (Math.abs(change) <= 0.015 * course.size) return "flat";
  return change > 0 ? "up" : "down";
}
