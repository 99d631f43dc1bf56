import { plain } from "./roles";

export type Outcome = "done" | "denied";

/** One line of the audit log: who did what to what, when and from where. `at` in ms. */
export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly outcome: Outcome;
  readonly target: string;
  readonly site: number | null;
  readonly address: string;
  readonly requestId: string;
  readonly before: AuditValues | null;
  readonly after: AuditValues | null;
  readonly details: AuditValues | null;
}

export type AuditValues = Readonly<Record<string, unknown>>;

/** What to look for; times in ms, everything else empty for all. */
export interface AuditFilter {
  readonly from: number | null;
  readonly to: number | null;
  readonly actor: string;
  readonly action: string;
  readonly outcome: Outcome | "";
  readonly site: number | null;
  readonly search: string;
}

export const NO_FILTER: AuditFilter = { from: null, to: null, actor: "", action: "", outcome: "", site: null, search: "" };

const HOUR_MS = 3_600_000;

/** How far back; `null` is as far as the log goes. */
export const SPANS = [
  { key: "all", label: "Any time", ms: null },
  { key: "1h", label: "Last hour", ms: HOUR_MS },
  { key: "24h", label: "Last 24 hours", ms: 24 * HOUR_MS },
  { key: "7d", label: "Last 7 days", ms: 7 * 24 * HOUR_MS },
  { key: "30d", label: "Last 30 days", ms: 30 * 24 * HOUR_MS },
] as const;

export type SpanKey = (typeof SPANS)[number]["key"];

export function spanStart(key: SpanKey, now: number): number | null {
  const ms = SPANS.find((span) => span.key === key)?.ms ?? null;
  return ms === null ? null : now - ms;
}

export const OUTCOMES = [
  { value: "done", label: "Done" },
  { value: "denied", label: "Denied" },
] as const;

/** One field that a change touched. `null` is a field that was or is not there. */
export interface Change {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What differs between two states of a row, in the order of the fields. A created row has no before, a deleted one no after. */
export function changesOf(before: AuditValues | null, after: AuditValues | null): Change[] {
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return fields.flatMap((field): Change[] => {
    const [old, now] = [valueWords(before, field), valueWords(after, field)];
    if (old === now) return [];
    return [{ field: plain(field), before: old, after: now }];
  });
}

function valueWords(values: AuditValues | null, field: string): string | null {
  if (values === null || !Object.hasOwn(values, field)) return null;
  const value = values[field];
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" || typeof value === "number") return String(value);
  return JSON.stringify(value);
}

/** `site.update` -> "Site update"; the name itself stays what one filters by. */
export function actionName(action: string): string {
  return plain(action);
}
