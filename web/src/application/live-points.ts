import type { Quality } from "@/domain/contract.gen";
import type { AnyBatch } from "@/domain/link/site-stream";
import { qualityOf } from "@/domain/quality";
import { follow, trendOf, type Course, type Trend } from "@/domain/trend";
import { Listeners } from "./listeners";
import { Painter } from "./painter";
import type { Clock } from "./ports";

/** The newest sample of a point. `every`: the usual distance between its samples, ms; 0 while unknown. */
export interface LivePoint {
  readonly value: number | null;
  readonly ts: number;
  readonly quality: Quality;
  readonly reason: string | null;
  readonly trend: Trend;
  readonly every: number;
}

interface Entry {
  newest: LivePoint;
  painted: LivePoint | null;
  course: Course | null;
  readonly listeners: Listeners;
}

const EMPTY: LivePoint = { value: null, ts: 0, quality: "bad", reason: null, trend: "flat", every: 0 };

/** The newest value of every watched point. One listener set per point: a batch repaints only what it is about. */
export class LivePoints {
  private readonly entries = new Map<string, Entry>();
  private readonly painter: Painter;

  constructor(clock: Clock) {
    this.painter = new Painter(clock, (keys) => {
      for (const key of keys) {
        const entry = this.entries.get(key);
        if (entry && entry.newest !== EMPTY) entry.painted = entry.newest;
      }
      for (const key of keys) this.entries.get(key)?.listeners.tell();
    });
  }

  apply(site: string, batches: readonly AnyBatch[]): void {
    const changed = new Set<string>();
    for (const batch of batches) {
      for (const reading of batch.readings) {
        for (const [key, value] of Object.entries(reading.values)) {
          const name = nameOf(site, key);
          if (this.accept(this.entry(name), value, reading.ts, reading.quality?.[key] ?? null)) changed.add(name);
        }
      }
    }
    this.painter.changed(changed);
  }

  /** What is on the page now; null before the first sample. */
  read(site: string, key: string): LivePoint | null {
    return this.entries.get(nameOf(site, key))?.painted ?? null;
  }

  subscribe(site: string, keys: readonly string[], listener: () => void): () => void {
    const leave = keys.map((key) => this.entry(nameOf(site, key)).listeners.add(listener));
    return () => {
      for (const each of leave) each();
    };
  }

  clear(): void {
    this.painter.clear();
    for (const entry of this.entries.values()) {
      Object.assign(entry, { newest: EMPTY, painted: null, course: null });
      entry.listeners.tell();
    }
  }

  private entry(name: string): Entry {
    let entry = this.entries.get(name);
    if (!entry) {
      entry = { newest: EMPTY, painted: null, course: null, listeners: new Listeners() };
      this.entries.set(name, entry);
    }
    return entry;
  }

  private accept(entry: Entry, value: number | null, ts: number, reason: string | null): boolean {
    const last = entry.newest;
    // A second snapshot repeats what is known; only a sample of another instant or content is news.
    if (last.ts === ts && last.value === value && last.reason === reason) return false;
    const step = last === EMPTY ? 0 : ts - last.ts;
    const trend = trendOf(entry.course, value);
    if (value !== null) entry.course = follow(entry.course, value, ts);
    entry.newest = {
      value, ts, reason, trend,
      quality: qualityOf(value, reason),
      every: step <= 0 ? last.every : last.every === 0 ? step : Math.min(step, last.every * 1.5),
    };
    return true;
  }
}

function nameOf(site: string, key: string): string {
  return `${site}/${key}`;
}
