import { bucketOf, joins, type Resolution, type Trace } from "./history";

/** One instant of a chart: the value of each point, null where its line is broken. */
export interface Row {
  readonly ts: number;
  readonly values: Record<string, number | null>;
  readonly bands: Record<string, readonly [number, number] | null>;
}

/** A lone uncertain sample is still drawn wide enough to be seen. */
const SHORTEST_SPAN_MS = 1_000;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Bring points that were sampled at different instants onto common rows. Between two neighbours a row lies on their line. */
export function rowsOf(traces: readonly Trace[], resolution: Resolution, from: number, to: number): Row[] {
  const bucket = bucketOf(resolution, from, to);
  const joined = traces.map((trace) => joins(trace.ts, resolution));
  const times = rowTimes(traces, joined, bucket, from, to);
  const rows: Row[] = times.map((ts) => ({ ts, values: {}, bands: {} }));
  traces.forEach((trace, index) => {
    fill(rows, trace, joined[index] ?? [], bucket);
  });
  return rows;
}

/** One row per bucket that holds a sample, and one inside each break, so that a lone line is broken there too. */
function rowTimes(traces: readonly Trace[], joined: readonly (readonly boolean[])[], bucket: number, from: number, to: number): number[] {
  const last = new Map<number, number>();
  const note = (ts: number) => {
    if (ts < from - bucket || ts > to + bucket) return;
    const slot = Math.floor(ts / bucket);
    last.set(slot, Math.max(last.get(slot) ?? 0, ts));
  };
  traces.forEach((trace, at) => {
    trace.ts.forEach((ts, index) => {
      note(ts);
      if (joined[at]?.[index] === false && index < trace.ts.length - 1) note(ts + bucket);
    });
  });
  return [...last.values()].sort((a, b) => a - b);
}

function fill(rows: readonly Row[], trace: Trace, joined: readonly boolean[], bucket: number): void {
  let next = 0;
  for (const row of rows) {
    while (next < trace.ts.length && (trace.ts[next] ?? Infinity) <= row.ts) next += 1;
    const before = next - 1;
    const age = before < 0 ? Infinity : row.ts - (trace.ts[before] ?? 0);
    if (age < bucket) {
      row.values[trace.key] = trace.value[before] ?? null;
      row.bands[trace.key] = bandAt(trace, before);
    } else {
      row.values[trace.key] = joined[before] ? between(trace, before, row.ts) : null;
      row.bands[trace.key] = null;
    }
  }
}

function bandAt(trace: Trace, index: number): readonly [number, number] | null {
  const low = trace.low?.[index] ?? null;
  const high = trace.high?.[index] ?? null;
  return low === null || high === null ? null : [low, high];
}

function between(trace: Trace, before: number, ts: number): number | null {
  const [t0, t1] = [trace.ts[before], trace.ts[before + 1]];
  const [v0, v1] = [trace.value[before] ?? null, trace.value[before + 1] ?? null];
  if (t0 === undefined || t1 === undefined || v0 === null) return null;
  if (trace.kind === "state") return v0;
  return v1 === null ? null : v0 + ((v1 - v0) * (ts - t0)) / (t1 - t0);
}

/** Lowest and highest value of the points shown, with their bands; null while there is none. */
export function extremes(rows: readonly Row[], keys: readonly string[], withBands: boolean): readonly [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const row of rows) {
    for (const key of keys) {
      const value = row.values[key];
      const band = withBands ? row.bands[key] : null;
      for (const figure of [value, band?.[0], band?.[1]]) {
        if (figure === null || figure === undefined) continue;
        low = Math.min(low, figure);
        high = Math.max(high, figure);
      }
    }
  }
  return low <= high ? [low, high] : null;
}

/** Spans in which a point's value is not certain, joined where they touch. */
export function doubtSpans(trace: Trace, resolution: Resolution): Span[] {
  const joined = joins(trace.ts, resolution);
  const spans: { from: number; to: number }[] = [];
  trace.ts.forEach((ts, index) => {
    if (!trace.doubt[index] || trace.value[index] === null) return;
    const end = (joined[index] ? trace.ts[index + 1] : null) ?? ts + SHORTEST_SPAN_MS;
    const last = spans.at(-1);
    if (last && last.to >= ts) last.to = end;
    else spans.push({ from: ts, to: end });
  });
  return spans;
}
