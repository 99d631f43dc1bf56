import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

const APPENDED = Symbol.for("ems.peer-appended");

interface Started {
  readonly request: IncomingMessage & { [APPENDED]?: true };
}

/**
 * Says in `X-Forwarded-For` of every request who is at the other end of its connection, after whatever the client or a
 * proxy wrote there. The backend reads the chain from its end, as far as it trusts, so nothing that a client writes is
 * believed. Next itself tells the peer only where the header is missing, and a route cannot ask for it.
 */
export function appendPeers(): void {
  subscribe("http.server.request.start", (message) => {
    const { request } = message as Started;
    if (request[APPENDED]) return; // a reload of the sources subscribes again
    request[APPENDED] = true;
    request.headers["x-forwarded-for"] = withPeer(request.headers["x-forwarded-for"], request.socket.remoteAddress);
  });
}

/** A connection that is gone by now has no address, and must not leave the client's own words at the end. */
export function withPeer(chain: string | string[] | undefined, peer: string | undefined): string {
  return [chain ?? [], peer ?? "unknown"].flat().join(", ");
}
