import { ErrorCodes } from "../error-codes";
import type { ServerFrame, SiteGrant } from "../messages";
import { onLoss, onSnapshot, onTelemetry, type SiteStream } from "./site-stream";
import type { LinkEffect, LinkState, Step } from "./state";

const REAUTH_MARGIN_MS = 120_000;

/** What one frame of the service changes. Frames of a site that nobody watches any more are ignored. */
export function onFrame(state: LinkState, frame: ServerFrame, now: number): Step {
  switch (frame.type) {
    case "welcome": {
      const skewed = { ...state, skew: now - frame.server_time };
      return welcome(skewed, frame, now);
    }
    case "grant":
      return granted({ ...state, grantStale: frame.stale, reauthAt: reauthAt(state, frame.expires, now) }, frame.sites);
    case "heartbeat":
      return { state: { ...track(state, frame.server_time, now), serviceLive: frame.live }, effects: [] };
    case "pong":
      return { state: track(state, frame.server_time, now), effects: [] };
    case "snapshot":
      return onSite(state, frame.site, (stream) => {
        const { stream: next, hole } = onSnapshot(stream, frame.batches, now, state.skew);
        const effects: LinkEffect[] = [{ type: "data", site: frame.site, batches: frame.batches }];
        if (hole) effects.push({ type: "hole", site: frame.site, hole });
        return { stream: next, effects };
      });
    case "telemetry":
      return onSite({ ...state, serviceLive: true }, frame.site, (stream) => {
        const { stream: next, fresh, hole } = onTelemetry(stream, frame.batches, now);
        const effects: LinkEffect[] = fresh.length > 0 ? [{ type: "data", site: frame.site, batches: fresh }] : [];
        if (hole) effects.push({ type: "hole", site: frame.site, hole });
        return { stream: next, effects };
      });
    case "gap":
      return onSite(state, frame.site, (stream) => {
        const next = onLoss(stream, frame.since);
        const effects: LinkEffect[] = next.lostSince === null ? [] : [{ type: "pending", site: frame.site, since: next.lostSince }];
        return { stream: next, effects };
      });
    case "error":
      if (!frame.site || frame.code === ErrorCodes.BAD_MESSAGE) return { state, effects: [] };
      return onSite(state, frame.site, (stream) => ({ stream: { ...stream, status: "refused" }, effects: [] }));
    case "alert":
    case "command":
      return { state, effects: [] };
  }
}

function welcome(state: LinkState, frame: ServerFrame & { type: "welcome" }, now: number): Step {
  const open: LinkState = {
    ...state,
    heartbeat: frame.heartbeat,
    refusals: 0,
    grantStale: false,
    reauthAt: reauthAt(state, frame.expires, now),
  };
  if (state.phase === "open") return { state: open, effects: [] };
  const sites = Object.keys(state.sites);
  const effects: LinkEffect[] = sites.length > 0 ? [{ type: "send", frame: { type: "subscribe", sites } }] : [];
  return { state: { ...open, phase: "open", phaseSince: now, everOpen: true, serviceLive: true }, effects };
}

/** When to send a fresh token: two minutes before the old one ends, or after two thirds of a shorter life. */
function reauthAt(state: LinkState, expires: number, now: number): number {
  const lifetime = expires + state.skew - now;
  return now + lifetime - Math.min(REAUTH_MARGIN_MS, lifetime / 3);
}

/** A frame that came faster than any before tells the clocks apart best; slow ones pull only a little. */
function track(state: LinkState, serverTime: number, now: number): LinkState {
  const skew = now - serverTime;
  return { ...state, skew: skew < state.skew ? skew : state.skew + (skew - state.skew) * 0.05 };
}

/** The grant changed: sites that left it are refused, sites that returned to it are asked for again. */
function granted(state: LinkState, grants: readonly SiteGrant[]): Step {
  const allowed = new Set(grants.map((grant) => grant.site));
  const sites: Record<string, SiteStream> = {};
  const back: string[] = [];
  for (const [site, stream] of Object.entries(state.sites)) {
    const returns = stream.status === "refused" && allowed.has(site);
    if (returns) back.push(site);
    sites[site] = returns ? { ...stream, status: "asked" } : allowed.has(site) ? stream : { ...stream, status: "refused" };
  }
  const effects: LinkEffect[] = [{ type: "access_changed" }];
  if (back.length > 0) effects.push({ type: "send", frame: { type: "subscribe", sites: back } });
  return { state: { ...state, sites }, effects };
}

function onSite(
  state: LinkState, site: string, change: (stream: SiteStream) => { stream: SiteStream; effects: LinkEffect[] },
): Step {
  const stream = Object.hasOwn(state.sites, site) ? state.sites[site] : undefined;
  if (stream === undefined) return { state, effects: [] };
  const { stream: next, effects } = change(stream);
  return { state: { ...state, sites: { ...state.sites, [site]: next } }, effects };
}
