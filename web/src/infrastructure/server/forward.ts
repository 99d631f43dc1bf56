import { randomUUID } from "node:crypto";
import { log } from "./log";

/** Headers that belong to one hop, and those that `fetch` sets itself. */
const HOP = [
  "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
  "trailer", "transfer-encoding", "upgrade",
];

const REQUEST_ID = /^[\w.:-]{1,128}$/;

/**
 * Pass a request on to the backend and its answer back, which is streamed: status, body, cookies and request id as
 * they are. Nothing is decided here; the backend authenticates every request itself.
 */
export async function forward(request: Request, backendUrl: string): Promise<Response> {
  const started = performance.now();
  const { pathname, search } = new URL(request.url);
  const target = new URL(backendUrl);
  target.pathname = pathname;
  target.search = search;
  const requestId = idOf(request);
  // `/api/%2e%2e/admin` is `/admin` by now, and only the API is reached through here.
  if (!pathname.startsWith("/api/")) return problem(404, "Not found", "There is no such address.", requestId);
  try {
    const answer = await fetch(target, {
      method: request.method,
      headers: outgoing(request, requestId),
      redirect: "manual",
      cache: "no-store",
      signal: request.signal,
      // Whole, not as a stream: that would be sent in chunks, and a WSGI server gives Django no body without a length.
      ...(request.body ? { body: await request.arrayBuffer() } : {}),
    });
    return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers: incoming(answer, requestId) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (request.signal.aborted) return new Response(null, { status: 499 });
    const ms = Math.round(performance.now() - started);
    log("error", "backend_unreachable", { request_id: requestId, method: request.method, path: pathname, error: reason(error), ms });
    return problem(502, "Bad gateway", "The web server cannot reach the backend. Try again in a moment.", requestId);
  }
}

function idOf(request: Request): string {
  const given = request.headers.get("x-request-id") ?? "";
  return REQUEST_ID.test(given) ? given : randomUUID();
}

function outgoing(request: Request, requestId: string): Headers {
  const headers = new Headers(request.headers);
  for (const name of HOP) headers.delete(name);
  // The body is passed on as it comes; this server compresses for the browser.
  headers.set("accept-encoding", "identity");
  headers.set("x-request-id", requestId);
  const host = request.headers.get("host");
  if (host && !headers.has("x-forwarded-host")) headers.set("x-forwarded-host", host);
  if (!headers.has("x-forwarded-proto")) headers.set("x-forwarded-proto", new URL(request.url).protocol.slice(0, -1));
  return headers;
}

function incoming(answer: Response, requestId: string): Headers {
  const headers = new Headers(answer.headers);
  for (const name of [...HOP, "content-encoding"]) headers.delete(name);
  if (!headers.has("x-request-id")) headers.set("x-request-id", requestId);
  return headers;
}

/** `fetch failed` says nothing; its cause does (ECONNREFUSED). */
function reason(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function problem(status: number, title: string, detail: string, requestId: string): Response {
  return Response.json(
    { type: "about:blank", title, status, detail },
    { status, headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Request-ID": requestId } },
  );
}
