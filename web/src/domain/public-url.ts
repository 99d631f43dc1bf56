const LOCAL = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * The address a browser should use for a service that is configured as `configured`, when the page itself was opened
 * as `host` ("192.168.1.20:3000"). A service on localhost is on the machine that served the page: a phone in the
 * same network must ask that machine, not itself.
 */
export function publicUrl(configured: string, host: string | null): string {
  const url = new URL(configured);
  if (host === null || !LOCAL.has(url.hostname)) return configured;
  if (!URL.canParse(`http://${host}`)) return configured;
  const page = new URL(`http://${host}`).hostname;
  if (LOCAL.has(page)) return configured;
  url.hostname = page;
  return url.toString();
}
