/** What every page may load and who may frame it. Scripts run only with this answer's nonce. */
export function contentSecurityPolicy(nonce: string, wsUrl: string, development: boolean): string {
  const live = new URL(wsUrl).origin;
  const directives: Readonly<Record<string, string>> = {
    "default-src": "'self'",
    // React's development build evaluates strings to show server errors; production never does.
    "script-src": `'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ""}`,
    // Menus and charts position themselves with style attributes, which no nonce can cover.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": `'self' ${live}${development ? " ws:" : ""}`,
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
  };
  return Object.entries(directives).map(([name, value]) => `${name} ${value}`).join("; ");
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};
