/** Times are shown in the site's time zone, never the reader's. All inputs in ms since the epoch. */

const cache = new Map<string, Intl.DateTimeFormat>();

function format(timezone: string, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${timezone} ${key}`;
  let found = cache.get(name);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: timezone, hourCycle: "h23" });
    cache.set(name, found);
  }
  return found;
}

/** 14:05 */
export function clock(ts: number, timezone: string): string {
  return format(timezone, "clock", { hour: "2-digit", minute: "2-digit" }).format(ts);
}

/** 14:05:09 */
export function clockSeconds(ts: number, timezone: string): string {
  return format(timezone, "seconds", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ts);
}

/** 3 Nov */
export function day(ts: number, timezone: string): string {
  return format(timezone, "day", { day: "numeric", month: "short" }).format(ts);
}

/** Mon 3 Nov, 14:05 (with seconds on request) */
export function moment(ts: number, timezone: string, seconds = false): string {
  const date = format(timezone, "weekday", { weekday: "short", day: "numeric", month: "short" }).format(ts);
  return `${date.replace(",", "")}, ${seconds ? clockSeconds(ts, timezone) : clock(ts, timezone)}`;
}

/** The zone's name as people say it there: CET, BST, GMT-6. */
export function zoneName(ts: number, timezone: string): string {
  const parts = format(timezone, "zone", { timeZoneName: "short" }).formatToParts(ts);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? timezone;
}

/** How far the zone is ahead of UTC at that instant, ms. */
export function offsetAt(ts: number, timezone: string): number {
  const parts = format(timezone, "offset", {
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  }).formatToParts(ts);
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((p) => p.type === type)?.value ?? 0);
  const local = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return local - Math.floor(ts / 1000) * 1000;
}

export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
