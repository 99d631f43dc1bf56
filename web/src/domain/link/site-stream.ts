import type { Batch, MergedBatch } from "../messages";

/** What the link knows of one watched site. Times in ms; `heardAt` by this browser's clock, `newest` by the samples'. */
export interface SiteStream {
  /** crowded: one more than the service lets a page follow; asked for again when another one is let go. */
  readonly status: "asked" | "following" | "refused" | "crowded";
  /** The last seq seen of each boot of each edge. */
  readonly boots: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The time of the newest sample of each edge: one may have been away for long while another went on. */
  readonly newestOfEdge: Readonly<Record<string, number>>;
  readonly heardAt: number | null;
  /** The last few distances between arrivals. */
  readonly pace: readonly number[];
  readonly newest: number | null;
  /** Samples after this time may have been missed; null while nothing was. */
  readonly lostSince: number | null;
}

export interface Hole {
  readonly from: number;
  readonly to: number;
}

export const ASKED: SiteStream = {
  status: "asked", boots: {}, newestOfEdge: {}, heardAt: null, pace: [], newest: null, lostSince: null,
};

/** What telemetry is made of: a batch as its edge sent it, or a run of them merged, for a link that asked for an interval. */
export type AnyBatch = Batch | MergedBatch;

function firstSeq(batch: AnyBatch): number {
  return "seq" in batch ? batch.seq : batch.seq_from;
}

function lastSeq(batch: AnyBatch): number {
  return "seq" in batch ? batch.seq : batch.seq_to;
}

const PACE_LENGTH = 5;
const STALE_MS = 8_000;
const STALE_INTERVALS = 1.7;

/** How long a site may be silent before it is stale: 8 s, longer only where its edges are known to be slower. */
export function patience(pace: readonly number[]): number {
  const sorted = [...pace].sort((a, b) => a - b);
  const usual = sorted.length < 3 ? 0 : (sorted[sorted.length >> 1] ?? 0);
  return Math.max(STALE_MS, STALE_INTERVALS * usual);
}

function newestOf(batch: AnyBatch): number {
  return batch.readings.reduce((newest, reading) => Math.max(newest, reading.ts), 0);
}

/** A batch may have no samples: it tells of a gap of its edge. */
function oldestOf(batch: AnyBatch): number {
  return batch.readings.reduce((oldest, reading) => Math.min(oldest, reading.ts), batch.readings.length > 0 ? Infinity : batch.sent);
}

/** The seq rule: nothing at or below what this boot has already shown. A run that reaches beyond it is news as a whole. */
function isFresh(stream: SiteStream, batch: AnyBatch): boolean {
  return lastSeq(batch) > (stream.boots[batch.edge]?.[batch.boot] ?? 0);
}

/** A batch that does not continue its edge's last one: live frames in between never came. */
function jumps(stream: SiteStream, batch: AnyBatch): boolean {
  const known = stream.boots[batch.edge];
  if (known === undefined) return false;
  const last = known[batch.boot];
  return last === undefined || firstSeq(batch) > last + 1;
}

function note(stream: SiteStream, batch: AnyBatch): SiteStream {
  const known = stream.boots[batch.edge] ?? {};
  // An edge that restarts again and again must not grow this for ever: two boots are all that can be in flight.
  const kept = Object.entries(known).filter(([boot]) => boot !== batch.boot).slice(-1);
  const newest = newestOf(batch);
  return {
    ...stream,
    boots: { ...stream.boots, [batch.edge]: { ...Object.fromEntries(kept), [batch.boot]: lastSeq(batch) } },
    newestOfEdge: newest > 0 ? { ...stream.newestOfEdge, [batch.edge]: Math.max(stream.newestOfEdge[batch.edge] ?? 0, newest) } : stream.newestOfEdge,
    newest: Math.max(stream.newest ?? 0, newest) || stream.newest,
  };
}

/** Since when samples were missed where a snapshot ends a loss: an edge that is ahead may have been away before the loss. */
function missedSince(stream: SiteStream, images: readonly Batch[]): number | null {
  if (stream.lostSince === null) return null;
  const ahead = images.filter((image) => isFresh(stream, image)).map((image) => stream.newestOfEdge[image.edge] ?? Infinity);
  return Math.min(stream.lostSince, ...ahead);
}

/**
 * A snapshot replaces what was known and closes whatever was missed before it. It may be old: the site counts as heard
 * when its newest sample was taken, not when the snapshot came. `skew`: this clock minus the service's, ms.
 */
export function onSnapshot(
  stream: SiteStream, batches: readonly Batch[], now: number, skew: number,
): { stream: SiteStream; hole: Hole | null } {
  const from = missedSince(stream, batches);
  const next = batches.reduce(note, { ...stream, status: "following" as const, lostSince: null });
  const to = batches.reduce((newest, batch) => Math.max(newest, newestOf(batch)), 0);
  const heardAt = to > 0 ? Math.max(stream.heardAt ?? 0, Math.min(now, to + skew)) : stream.heardAt;
  return { stream: { ...next, heardAt }, hole: from !== null && to > from ? { from, to } : null };
}

function spanOf(holes: readonly Hole[]): Hole | null {
  if (holes.length === 0) return null;
  return { from: Math.min(...holes.map((hole) => hole.from)), to: Math.max(...holes.map((hole) => hole.to)) };
}

/** Live batches: what is new, and the hole they reveal where a seq was skipped. */
export function onTelemetry<T extends AnyBatch>(
  stream: SiteStream, batches: readonly T[], now: number,
): { stream: SiteStream; fresh: T[]; hole: Hole | null } {
  let next = stream;
  const holes: Hole[] = [];
  const fresh: T[] = [];
  for (const batch of batches) {
    if (!isFresh(next, batch)) continue;
    const from = next.newestOfEdge[batch.edge], to = oldestOf(batch);
    if (jumps(next, batch) && from !== undefined && to > from) holes.push({ from, to });
    next = note(next, batch);
    fresh.push(batch);
  }
  const hole = spanOf(holes);
  if (fresh.length === 0) return { stream, fresh, hole };
  const pace = stream.heardAt === null ? stream.pace : [...stream.pace, now - stream.heardAt].slice(-PACE_LENGTH);
  return { stream: { ...next, pace, heardAt: now }, fresh, hole };
}

/** The link broke or the service says that frames were missed: what comes after the newest sample is in doubt. */
export function onLoss(stream: SiteStream, since: number | null): SiteStream {
  const from = since ?? stream.newest;
  if (from === null) return stream;
  return { ...stream, lostSince: Math.min(stream.lostSince ?? Infinity, from) };
}
