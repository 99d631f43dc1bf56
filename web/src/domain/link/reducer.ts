import type { ServerFrame } from "../messages";
import { parseServerFrame } from "../frames";
import { retryDelay } from "./backoff";
import { policyOf, type ClosePolicy } from "./close-policy";
import { askFor, settle } from "./interval";
import { onFrame, subscribe } from "./on-frame";
import { ASKED, onLoss, type SiteStream } from "./site-stream";
import { INITIAL, type LinkEffect, type LinkEvent, type LinkState, type Step } from "./state";

const CONNECT_TIMEOUT_MS = 10_000;
/** When a thousand pages come back at once their access is checked one after the other, which takes up to half a minute. */
const WELCOME_TIMEOUT_MS = 35_000;
const TOKEN_RETRY_MS = 10_000;
const MAX_REFUSALS = 2;
/** A link that held for less than this does not count as recovered: its next attempt waits longer. */
const HELD_MS = 10_000;
const NO_TOKEN_NEEDED = 60_000;

/**
 * The whole protocol of the live link: state and event in, state and effects out. No I/O, no clock and no dice of its
 * own: `now` in ms, `random` in [0, 1).
 */
export function reduce(state: LinkState, event: LinkEvent, now: number, random: number): Step {
  switch (event.type) {
    case "watch":
      return watch(state, event.sites, now);
    case "token":
      return gotToken(state, event.token, now);
    case "no_token":
      return noToken(state, event.reason, now, random);
    case "opened":
      return opened(state, now);
    case "message":
      return message(state, parseServerFrame(event.text), now, random);
    case "closed":
      return closed(state, policyOf(event.code), now, random);
    case "tick":
      return tick(state, now, random);
    case "online":
      return event.online ? hurry({ ...state, online: true }, now, random) : { state: { ...state, online: false }, effects: [] };
    case "woken":
      return hurry(state, now, random);
    case "interval":
      return askFor(state, event.interval, now);
    case "stopped":
      return { state: { ...INITIAL, online: state.online, interval: state.calmer?.interval ?? state.interval }, effects: [{ type: "disconnect" }] };
  }
}

function start(state: LinkState, now: number): Step {
  return {
    state: { ...state, phase: "connecting", phaseSince: now, token: null },
    effects: [{ type: "need_token", validFor: NO_TOKEN_NEEDED, renew: state.refusals > 0 }],
  };
}

function watch(state: LinkState, wanted: readonly string[], now: number): Step {
  const removed = Object.keys(state.sites).filter((site) => !wanted.includes(site));
  const sites: Record<string, SiteStream> = {};
  const added: string[] = [];
  for (const site of wanted) {
    const known = Object.hasOwn(state.sites, site) ? state.sites[site] : undefined;
    // Where one is let go there is room for one that was too many.
    const again = known?.status === "crowded" && removed.length > 0;
    if (!known || again) added.push(site);
    sites[site] = again ? { ...known, status: "asked" } : (known ?? ASKED);
  }
  const next = { ...state, sites };
  if (state.phase === "idle") return wanted.length > 0 ? start(next, now) : { state: next, effects: [] };
  if (state.phase !== "open") return { state: next, effects: [] };
  const leave: LinkEffect[] = removed.length > 0 ? [{ type: "send", frame: { type: "unsubscribe", sites: removed } }] : [];
  return { state: next, effects: [...leave, ...subscribe(added, state.interval)] };
}

function gotToken(state: LinkState, token: string, now: number): Step {
  if (state.phase === "connecting") return { state: { ...state, token, phaseSince: now }, effects: [{ type: "connect" }] };
  if (state.phase === "open") return { state, effects: [{ type: "send", frame: { type: "auth", token } }] };
  return { state, effects: [] };
}

function noToken(state: LinkState, reason: "signed_out" | "unreachable", now: number, random: number): Step {
  if (reason === "signed_out") {
    return { state: { ...state, phase: "ended", end: "signed_out", token: null }, effects: [{ type: "disconnect" }] };
  }
  if (state.phase === "open") return { state: { ...state, reauthAt: now + TOKEN_RETRY_MS }, effects: [] };
  return { state: wait(state, "jitter", now, random), effects: [] };
}

function opened(state: LinkState, now: number): Step {
  if (state.phase !== "connecting" || state.token === null) return { state, effects: [] };
  return {
    state: { ...state, phase: "authenticating", phaseSince: now, lastHeard: now, token: null },
    effects: [{ type: "send", frame: { type: "auth", token: state.token } }],
  };
}

function message(state: LinkState, frame: ServerFrame | null, now: number, random: number): Step {
  if (state.phase !== "open" && state.phase !== "authenticating") return { state, effects: [] };
  const heard = { ...state, lastHeard: now };
  if (frame === null) return { state: heard, effects: [] };
  const step = onFrame(heard, frame, now);
  // Timers of a hidden tab are slow; frames are not. What is due is done when either comes.
  const due = tick(step.state, now, random);
  return { state: due.state, effects: [...step.effects, ...due.effects] };
}

function wait(state: LinkState, kind: Exclude<ClosePolicy["kind"], "end">, now: number, random: number): LinkState {
  return {
    ...state,
    phase: "waiting",
    phaseSince: now,
    token: null,
    retryAt: now + retryDelay(kind, state.attempt, random),
    attempt: state.attempt + 1,
  };
}

function closed(state: LinkState, policy: ClosePolicy, now: number, random: number): Step {
  if (state.phase === "idle" || state.phase === "ended") return { state, effects: [] };
  const lost: LinkState = {
    ...state,
    reauthAt: Infinity,
    attempt: state.phase === "open" && now - state.phaseSince > HELD_MS ? 0 : state.attempt,
    sites: mapSites(state, (stream) => (stream.status === "refused" ? stream : { ...onLoss(stream, null), status: "asked" })),
  };
  if (policy.kind === "end") return end(lost, policy.reason);
  if (policy.kind !== "token") return { state: wait(lost, policy.kind, now, random), effects: [] };
  const refusals = state.refusals + 1;
  if (refusals > MAX_REFUSALS) return end(lost, "revoked");
  return { state: { ...wait(lost, "quick", now, random), refusals }, effects: [] };
}

function end(state: LinkState, reason: NonNullable<LinkState["end"]>): Step {
  return {
    state: { ...state, phase: "ended", end: reason, token: null },
    effects: reason === "revoked" ? [{ type: "session_ended", reason }] : [],
  };
}

/** A socket that has been silent for so long is dead, whatever it says of itself. */
export function deadAfter(heartbeat: number): number {
  return heartbeat * 2 + 5_000;
}

function tick(state: LinkState, now: number, random: number): Step {
  switch (state.phase) {
    case "waiting":
      return now >= state.retryAt ? start(state, now) : { state, effects: [] };
    case "connecting":
      return now - state.phaseSince > CONNECT_TIMEOUT_MS ? drop(state, now, random) : { state, effects: [] };
    case "authenticating":
      return now - state.phaseSince > WELCOME_TIMEOUT_MS ? drop(state, now, random) : { state, effects: [] };
    case "open":
      if (now - state.lastHeard > deadAfter(state.heartbeat)) return drop(state, now, random);
      if (now < state.reauthAt) return settle(state, now);
      return {
        state: { ...state, reauthAt: now + TOKEN_RETRY_MS },
        effects: [{ type: "need_token", validFor: 3 * NO_TOKEN_NEEDED, renew: false }],
      };
    case "idle":
    case "ended":
      return { state, effects: [] };
  }
}

/** Treat the socket as lost without waiting for its close, which a dead network would delay by minutes. */
function drop(state: LinkState, now: number, random: number): Step {
  const step = closed(state, { kind: "quick" }, now, random);
  return { state: step.state, effects: [{ type: "disconnect" }, ...step.effects] };
}

/** The network came back or the page was opened again: try now rather than when the wait ends. */
function hurry(state: LinkState, now: number, random: number): Step {
  if (state.phase === "waiting") return start(state, now);
  return tick(state, now, random);
}

function mapSites(state: LinkState, change: (stream: SiteStream) => SiteStream): Record<string, SiteStream> {
  return Object.fromEntries(Object.entries(state.sites).map(([site, stream]) => [site, change(stream)]));
}
