import { ErrorCodes } from "../error-codes";
import type { ServerFrame, SiteGrant } from "../messages";
import { onLoss, onSnapshot, onTelemetry, type AnyBatch, type SiteStream } from "./site-stream";
import type { LinkEffect, LinkState, Step } from "./state";

const REAUTH_MARGIN_MS = 120_000;
const MOST_IN_A_FRAME = 100;

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
    case "merged":
      return onSite({ ...state, serviceLive: true }, frame.site, (stream) => {
        const { stream: next, fresh, hole } = onTelemetry<AnyBatch>(stream, frame.batches, now);
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
      if (frame.code === ErrorCodes.TOO_MANY_SITES) return { state: crowded(state), effects: [] };
      if (!frame.site || frame.code === ErrorCodes.BAD_MESSAGE) return { state, effects: [] };
      return onSite(state, frame.site, (stream) => ({ stream: { ...stream, status: "refused" }, effects: [] }));
    case "command":
      return onSite(state, frame.site, (stream) => ({ stream, effects: [{ type: "command", site: frame.site, event: frame.command }] }));
    case "control":
      return onSite(state, frame.site, (stream) => ({ stream, effects: [{ type: "control", site: frame.site, event: frame.control }] }));
    case "alert":
      return { state, effects: [] };
  }
}

function welcome(state: LinkState, frame: ServerFrame & { type: "welcome" }, now: number): Step {
  const open: LinkState = {
    ...state,
    heartbeat: frame.heartbeat,
    refusals: 0,
    grantStale: false,
    grants: signature(frame.sites),
    reauthAt: reauthAt(state, frame.expires, now),
  };
  if (state.phase === "open") return { state: open, effects: [] };
  const effects = subscribe(Object.keys(state.sites), state.interval);
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

/** A grant comes at every renewal too. Where it is another one: sites that left it are refused, sites that returned are asked for. */
function granted(state: LinkState, grants: readonly SiteGrant[]): Step {
  const allowed = new Set(grants.map((grant) => grant.site));
  const sites: Record<string, SiteStream> = {};
  const back: string[] = [];
  for (const [site, stream] of Object.entries(state.sites)) {
    const returns = stream.status === "refused" && allowed.has(site);
    if (returns) back.push(site);
    sites[site] = returns ? { ...stream, status: "asked" } : allowed.has(site) ? stream : { ...stream, status: "refused" };
  }
  const effects = subscribe(back, state.interval);
  const now = signature(grants);
  if (now !== state.grants) effects.unshift({ type: "access_changed" });
  return { state: { ...state, sites, grants: now }, effects };
}

function signature(grants: readonly SiteGrant[]): string {
  return grants.map((grant) => `${grant.site} ${grant.role} ${grant.actions.join()}`).sort().join("|");
}

/** The service follows no more sites for this page; those it has not answered are the ones too many. */
function crowded(state: LinkState): LinkState {
  const sites = Object.entries(state.sites).map(([site, stream]) => [site, stream.status === "asked" ? { ...stream, status: "crowded" as const } : stream] as const);
  return { ...state, sites: Object.fromEntries(sites) };
}

/** Subscriptions to these sites, no more in one frame than the service reads. */
export function subscribe(sites: readonly string[], interval: number): LinkEffect[] {
  const frames: LinkEffect[] = [];
  for (let at = 0; at < sites.length; at += MOST_IN_A_FRAME) {
    const some = sites.slice(at, at + MOST_IN_A_FRAME);
    frames.push({ type: "send", frame: { type: "subscribe", sites: some, ...(interval > 0 ? { interval } : {}) } });
  }
  return frames;
}

function onSite(
  state: LinkState, site: string, change: (stream: SiteStream) => { stream: SiteStream; effects: LinkEffect[] },
): Step {
  const stream = Object.hasOwn(state.sites, site) ? state.sites[site] : undefined;
  if (stream === undefined) return { state, effects: [] };
  const { stream: next, effects } = change(stream);
  return { state: { ...state, sites: { ...state.sites, [site]: next } }, effects };
}
