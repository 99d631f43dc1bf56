import type { Batch, MergedBatch } from "@/domain/messages";

export const BOOT = "0f8c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";
export const OTHER_BOOT = "1f8c1d2e-3b4a-4c5d-8e6f-708192a3b4c5";

/** A batch with one reading. */
export function batch(seq: number, ts: number, values: Record<string, number | null> = { "grid_meter.active_power": seq }, more: Partial<Batch> & { quality?: Record<string, string> } = {}): Batch {
  const { quality, ...rest } = more;
  return { v: 1, edge: "edge_3", boot: BOOT, seq, sent: ts, readings: [{ ts, values, ...(quality ? { quality } : {}) }], ...rest };
}

/** The batches `from`..`to` of one edge as one, with one reading. */
export function merged(from: number, to: number, ts: number, more: Partial<MergedBatch> = {}): MergedBatch {
  const readings = [{ ts, values: { "grid_meter.active_power": to } }];
  return { edge: "edge_3", boot: BOOT, seq_from: from, seq_to: to, sent: ts, readings, ...more };
}
