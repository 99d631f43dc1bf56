/** Times that belong to no site: of a session, a key, the audit log. They are shown in the reader's own zone. */

const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** 3 Nov 2026 */
export function dateWord(ts: number): string {
  return DATE.format(ts);
}

/** 3 Nov 2026, 14:05 */
export function dateTime(ts: number): string {
  return `${DATE.format(ts)}, ${TIME.format(ts)}`;
}

/** 3 Nov 2026, 14:05:09 */
export function dateTimeSeconds(ts: number): string {
  return `${DATE.format(ts)}, ${SECONDS.format(ts)}`;
}

/** "in 3 days", for what ends; "today" when it is less than one. */
export function untilWord(ts: number, now: number): string {
  const days = Math.ceil((ts - now) / 86_400_000);
  if (days < 1) return "now";
  return days === 1 ? "within a day" : `in ${days} days`;
}

/** An instant from the API, ISO 8601 -> ms. */
export function instant(text: string): number {
  return Date.parse(text);
}

/** What `<input type="datetime-local">` holds, in the reader's zone -> ms; null where it is empty. */
export function localInput(text: string): number | null {
  const ts = text === "" ? NaN : new Date(text).getTime();
  return Number.isNaN(ts) ? null : ts;
}
