/** Where to go after signing in: a path of this site, never another one (`//evil.example`, `/\evil.example`). */
export function safeNext(wanted: string | null): string {
  return wanted !== null && /^\/(?![/\\])/.test(wanted) && !wanted.startsWith("/login") ? wanted : "/";
}
