/** One JSON line to stderr. Never pass a header, a cookie or a body. */
export function log(level: "info" | "warning" | "error", event: string, fields: Readonly<Record<string, string | number>> = {}): void {
  const line = { timestamp: new Date().toISOString(), level, service: "web", event, ...fields };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
