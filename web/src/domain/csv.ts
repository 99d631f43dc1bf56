import type { Trace } from "./history";

/** The traces as CSV, one line for each time at which any has a value; times in UTC and in the site's zone's name. */
export function csvOf(traces: readonly Trace[], timezone: string): string {
  const times = [...new Set(traces.flatMap((trace) => trace.ts))].sort((a, b) => a - b);
  const columns = traces.map((trace) => new Map(trace.ts.map((ts, index) => [ts, trace.value[index] ?? null])));
  const head = ["time_utc", `time_local (${timezone})`, ...traces.map((trace) => (trace.unit ? `${trace.key} (${trace.unit})` : trace.key))];
  const local = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, dateStyle: "short", timeStyle: "medium" });
  const lines = times.map((ts) => [
    new Date(ts).toISOString(),
    local.format(ts),
    ...columns.map((column) => {
      const value = column.get(ts);
      return value === null || value === undefined ? "" : String(value);
    }),
  ]);
  return [head, ...lines].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** A text that a spreadsheet would run as a formula is quoted off; a negative number is none. */
function cell(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
