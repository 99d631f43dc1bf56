import { NextResponse, type NextRequest } from "next/server";
import { pageHeaders } from "./composition.server";

/** Gives every page its security headers. No access is decided here: the backend and the live service do that. */
export function proxy(request: NextRequest): NextResponse {
  const nonce = crypto.randomUUID();
  const answerHeaders = pageHeaders(request.headers.get("host"), nonce);
  // Next reads the nonce for its own scripts from the request's policy.
  const headers = new Headers(request.headers);
  headers.set("Content-Security-Policy", answerHeaders["Content-Security-Policy"] ?? "");
  const response = NextResponse.next({ request: { headers } });
  for (const [name, value] of Object.entries(answerHeaders)) response.headers.set(name, value);
  return response;
}

export const config = { matcher: ["/((?!api/|healthz|readyz|_next/|icon.svg).*)"] };
