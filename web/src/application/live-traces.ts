import { indexAt, type KnownGap, type Trace } from "@/domain/history";
import type { AnyBatch, Hole } from "@/domain/link/site-stream";
import { qualityOf } from "@/domain/quality";
import { Listeners } from "./listeners";
import type { Clock } from "./ports";

/** Samples of one point, ascending. Arrays are replaced, not changed, whenever a reader may hold them. */
export interface Samples {
  readonly ts: readonly number[];
  readonly value: readonly (number | null)[];
  readonly doubt: readonly boolean[];
}

/** A live chart looks back this far. */
export const WINDOW_MS = 15 * 60_000;
const KEPT_MS = WINDOW_MS + 60_000;
export const NO_SAMPLES: Samples = { ts: [], value: [], doubt: [] };

interface SiteTraces {
  readonly wanted: Map<string, number>;
  readonly samples: Map<string, Samples>;
  pending: readonly Hole[];
  gaps: readonly KnownGap[];
  version: number;
  readonly listeners: Listeners;
}

/** The last quarter of an hour of the points that someone draws. */
export class LiveTraces {
  private readonly sites = new Map<string, SiteTraces>();

  constructor(private readonly clock: Clock) {}

  /** Keep these points from now on; returns a function that lets them go. */
  keep(site: string, keys: readonly string[]): () => void {
    const traces = this.site(site);
    for (const key of keys) traces.wanted.set(key, (traces.wanted.get(key) ?? 0) + 1);
    return () => {
      for (const key of keys) {
        const left = (traces.wanted.get(key) ?? 1) - 1;
        if (left > 0) traces.wanted.set(key, left);
        else {
          traces.wanted.delete(key);
          traces.samples.delete(key);
        }
      }
    };
  }

  wanted(site: string): string[] {
    return [...this.site(site).wanted.keys()];
  }

  apply(site: string, batches: readonly AnyBatch[]): void {
    const traces = this.site(site);
    if (traces.wanted.size === 0) return;
    const fresh = new Map<string, { ts: number; value: number | null; doubt: boolean }[]>();
    for (const reading of batches.flatMap((batch) => batch.readings)) {
      for (const [key, value] of Object.entries(reading.values)) {
        if (!traces.wanted.has(key)) continue;
        const doubt = qualityOf(value, reading.quality?.[key] ?? null) === "uncertain";
        const list = fresh.get(key) ?? [];
        list.push({ ts: reading.ts, value, doubt });
        fresh.set(key, list);
      }
    }
    for (const [key, list] of fresh) {
      list.sort((a, b) => a.ts - b.ts);
      const added = { ts: list.map((s) => s.ts), value: list.map((s) => s.value), doubt: list.map((s) => s.doubt) };
      this.put(traces, key, merge(traces.samples.get(key) ?? NO_SAMPLES, added));
    }
    this.noteGaps(traces, batches.flatMap((batch) => batch.gaps ?? []));
    if (fresh.size > 0) this.changed(traces);
  }

  /** History of some points arrived: it fills in, and never replaces what came live at the same instant. */
  backfill(site: string, history: { readonly traces: readonly Trace[]; readonly gaps: readonly KnownGap[] }): void {
    const traces = this.site(site);
    for (const trace of history.traces) {
      if (!traces.wanted.has(trace.key)) continue;
      this.put(traces, trace.key, merge(trace, traces.samples.get(trace.key) ?? NO_SAMPLES));
    }
    this.noteGaps(traces, history.gaps);
    this.changed(traces);
  }

  /** Spans of which the edges themselves say that nothing was measured. */
  gaps(site: string): readonly KnownGap[] {
    return this.site(site).gaps;
  }

  /** Spans whose samples are being fetched. */
  pending(site: string): readonly Hole[] {
    return this.site(site).pending;
  }

  /** A span that reaches from the same instant as one already pending takes its place. */
  addPending(site: string, hole: Hole): void {
    const traces = this.site(site);
    traces.pending = [...traces.pending.filter((each) => each.from !== hole.from), hole];
    this.changed(traces);
  }

  dropPending(site: string, hole: Hole): void {
    const traces = this.site(site);
    traces.pending = traces.pending.filter((each) => each.from < hole.from || each.to > hole.to);
    this.changed(traces);
  }

  samples(site: string, key: string): Samples {
    return this.site(site).samples.get(key) ?? NO_SAMPLES;
  }

  /** Grows with every change of the site's samples. */
  version(site: string): number {
    return this.site(site).version;
  }

  subscribe(site: string, listener: () => void): () => void {
    return this.site(site).listeners.add(listener);
  }

  clear(): void {
    for (const traces of this.sites.values()) {
      traces.samples.clear();
      traces.pending = [];
      traces.gaps = [];
      this.changed(traces);
    }
  }

  private put(traces: SiteTraces, key: string, samples: Samples): void {
    const first = indexAt(samples.ts, this.clock.now() - KEPT_MS) + 1;
    traces.samples.set(key, {
      ts: samples.ts.slice(first), value: samples.value.slice(first), doubt: samples.doubt.slice(first),
    });
  }

  private noteGaps(traces: SiteTraces, gaps: readonly KnownGap[]): void {
    const first = this.clock.now() - KEPT_MS;
    const all = [...traces.gaps, ...gaps].filter((gap) => gap.to > first);
    traces.gaps = [...new Map(all.map((gap) => [`${gap.from}-${gap.to}-${gap.reason}`, { from: gap.from, to: gap.to, reason: gap.reason }])).values()];
  }

  private site(name: string): SiteTraces {
    let traces = this.sites.get(name);
    if (!traces) {
      traces = { wanted: new Map(), samples: new Map(), pending: [], gaps: [], version: 0, listeners: new Listeners() };
      this.sites.set(name, traces);
    }
    return traces;
  }

  private changed(traces: SiteTraces): void {
    traces.version += 1;
    traces.listeners.tell();
  }
}

/** Two ascending runs as one; at the same instant the second wins. */
function merge(base: Samples, over: Samples): Samples {
  const ts: number[] = [];
  const value: (number | null)[] = [];
  const doubt: boolean[] = [];
  const push = (from: Samples, index: number) => {
    ts.push(from.ts[index] ?? 0);
    value.push(from.value[index] ?? null);
    doubt.push(from.doubt[index] ?? false);
  };
  let a = 0;
  let b = 0;
  while (a < base.ts.length || b < over.ts.length) {
    const [ta, tb] = [base.ts[a] ?? Infinity, over.ts[b] ?? Infinity];
    if (ta < tb) push(base, a++);
    else {
      push(over, b++);
      if (ta === tb) a += 1;
    }
  }
  return { ts, value, doubt };
}
