import type { ClientFrame, CommandEvent, ControlEvent } from "../messages";
import type { EndReason } from "./close-policy";
import type { AnyBatch, Hole, SiteStream } from "./site-stream";

/** idle: nobody watches. waiting: for the next attempt. ended: until a person does something. */
export type Phase = "idle" | "waiting" | "connecting" | "authenticating" | "open" | "ended";

/** Everything the live link knows. Times in ms of this browser's clock unless said otherwise. */
export interface LinkState {
  readonly phase: Phase;
  readonly online: boolean;
  readonly sites: Readonly<Record<string, SiteStream>>;
  /** Attempts since the link last held. */
  readonly attempt: number;
  /** Refusals of the token in a row. */
  readonly refusals: number;
  readonly retryAt: number;
  readonly phaseSince: number;
  readonly everOpen: boolean;
  readonly lastHeard: number;
  /** The longest silence that the service promises. */
  readonly heartbeat: number;
  /** The service itself hears its source. */
  readonly serviceLive: boolean;
  /** Access could not be checked lately; the last grant is kept. */
  readonly grantStale: boolean;
  /** What the service last said may be seen, as one text to compare; null before it said anything. */
  readonly grants: string | null;
  readonly reauthAt: number;
  readonly token: string | null;
  /** This clock minus the service's. */
  readonly skew: number;
  readonly end: EndReason | null;
  /** What each subscription asks for: at most one telemetry frame of a site in so many ms; 0: every batch. */
  readonly interval: number;
  /** A longer interval that is wished for, and since when. */
  readonly calmer: { readonly interval: number; readonly since: number } | null;
}

export type LinkEvent =
  | { readonly type: "watch"; readonly sites: readonly string[] }
  | { readonly type: "token"; readonly token: string }
  | { readonly type: "no_token"; readonly reason: "signed_out" | "unreachable" }
  | { readonly type: "opened" }
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "closed"; readonly code: number }
  | { readonly type: "tick" }
  | { readonly type: "online"; readonly online: boolean }
  | { readonly type: "woken" }
  | { readonly type: "interval"; readonly interval: number }
  | { readonly type: "stopped" };

export type LinkEffect =
  /** Ask the session for a token with at least `validFor` ms to live; answer with `token` or `no_token`. */
  | { readonly type: "need_token"; readonly validFor: number; readonly renew: boolean }
  | { readonly type: "connect" }
  | { readonly type: "send"; readonly frame: ClientFrame }
  /** Drop the socket; no `closed` event follows. */
  | { readonly type: "disconnect" }
  | { readonly type: "data"; readonly site: string; readonly batches: readonly AnyBatch[] }
  | { readonly type: "hole"; readonly site: string; readonly hole: Hole }
  | { readonly type: "pending"; readonly site: string; readonly since: number }
  | { readonly type: "command"; readonly site: string; readonly event: CommandEvent }
  | { readonly type: "control"; readonly site: string; readonly event: ControlEvent }
  | { readonly type: "access_changed" }
  | { readonly type: "session_ended"; readonly reason: "revoked" };

export interface Step {
  readonly state: LinkState;
  readonly effects: readonly LinkEffect[];
}

export const INITIAL: LinkState = {
  phase: "idle", online: true, sites: {}, attempt: 0, refusals: 0, retryAt: 0, phaseSince: 0, everOpen: false, lastHeard: 0,
  heartbeat: 5_000, serviceLive: true, grantStale: false, grants: null, reauthAt: Infinity, token: null, skew: 0, end: null,
  interval: 0, calmer: null,
};
