import { ASKED, patience, type SiteStream } from "./site-stream";
import type { LinkState } from "./state";

export type ConnectionStatus = "live" | "stale" | "reconnecting" | "offline";

/** Why it is not live; each has its sentence in `connection-words.ts`. */
export type ConnectionCause =
  | "connecting" | "lost" | "no_network" | "silent" | "source_lost" | "data_stopped" | "no_data" | "refused" | "crowded"
  | "bad_message" | "forbidden" | "revoked" | "signed_out";

export interface Connection {
  readonly status: ConnectionStatus;
  readonly cause: ConnectionCause | null;
  /** Access could not be checked lately. */
  readonly grantStale: boolean;
  /** New values come at most once in so many ms; 0: as they are measured. */
  readonly interval: number;
}

type Seen = Pick<Connection, "status" | "cause">;

/** Nothing at all, not even a heartbeat, for this long is stale. */
function silentAfter(heartbeat: number): number {
  return Math.max(8_000, heartbeat + 2_000);
}

function linkStatus(state: LinkState, now: number): Seen {
  if (state.phase === "ended") return { status: "offline", cause: state.end };
  // The browser's word counts only while the link is down: over loopback it may be "offline" and well.
  if (state.phase !== "open" && !state.online) return { status: "offline", cause: "no_network" };
  if (state.phase !== "open") return { status: "reconnecting", cause: state.everOpen || state.attempt > 2 ? "lost" : "connecting" };
  if (now - state.lastHeard > silentAfter(state.heartbeat)) return { status: "stale", cause: "silent" };
  if (!state.serviceLive) return { status: "stale", cause: "source_lost" };
  return { status: "live", cause: null };
}

/** Whether a reader would see the same. */
export function sameConnection(one: Connection | null, other: Connection | null): boolean {
  if (one === null || other === null) return one === other;
  return one.status === other.status && one.cause === other.cause && one.grantStale === other.grantStale && one.interval === other.interval;
}

/** A site's data, apart from the link that carries it. */
function siteStatus(stream: SiteStream, now: number): Seen {
  if (stream.status === "refused") return { status: "offline", cause: "refused" };
  if (stream.status === "crowded") return { status: "offline", cause: "crowded" };
  if (stream.status === "asked") return { status: "reconnecting", cause: "connecting" };
  if (stream.newest === null) return { status: "stale", cause: "no_data" };
  const silence = now - (stream.heardAt ?? 0);
  return silence > patience(stream.pace) ? { status: "stale", cause: "data_stopped" } : { status: "live", cause: null };
}

/** The state of one site as a reader sees it: the link's, or where that is live, the site's own. */
export function siteConnection(state: LinkState, site: string, now: number): Connection {
  const link = linkStatus(state, now);
  const stream = Object.hasOwn(state.sites, site) ? state.sites[site] : undefined;
  const seen = link.status === "live" ? siteStatus(stream ?? ASKED, now) : link;
  return whole(state, seen);
}

/** The state of the page as a whole: live if any watched site is. Null while nothing is watched. */
export function pageConnection(state: LinkState, now: number): Connection | null {
  if (state.phase === "idle") return null;
  const link = linkStatus(state, now);
  if (link.status !== "live") return whole(state, link);
  const streams = Object.values(state.sites).map((stream) => siteStatus(stream, now));
  const best = (["live", "reconnecting", "stale", "offline"] as const)
    .map((status) => streams.find((stream) => stream.status === status))
    .find((stream) => stream !== undefined);
  return whole(state, best ?? link);
}

function whole(state: LinkState, seen: Seen): Connection {
  return { ...seen, grantStale: state.grantStale, interval: state.interval };
}
