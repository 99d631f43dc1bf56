import type { LinkState, Step } from "./state";
import { subscribe } from "./on-frame";

/** What decides how often new values are worth their cost. */
export interface Circumstances {
  /** A narrow screen or a coarse pointer: a phone, on a battery and perhaps on a metered network. */
  readonly phone: boolean;
  /** The person asked the browser to save data. */
  readonly saveData: boolean;
  /** The page is in a tab that nobody sees. */
  readonly hidden: boolean;
}

const EVERY_BATCH = 0;
const ONCE_A_SECOND = 1_000;

/** The `interval` to subscribe with, ms; 0: every batch as it comes. */
export function intervalFor({ phone, saveData, hidden }: Circumstances): number {
  return phone || saveData || hidden ? ONCE_A_SECOND : EVERY_BATCH;
}

/** A change to fewer frames waits so long: each change costs a snapshot, and people flip through their tabs. */
export const SETTLE_MS = 10_000;

/** The page's circumstances ask for this interval. More frames come at once, fewer only when the wish has lasted. */
export function askFor(state: LinkState, interval: number, now: number): Step {
  if (interval === state.interval) return { state: { ...state, calmer: null }, effects: [] };
  if (state.phase !== "open" || interval < state.interval) return change(state, interval);
  const since = state.calmer?.interval === interval ? state.calmer.since : now;
  return { state: { ...state, calmer: { interval, since } }, effects: [] };
}

/** The wish for fewer frames, once it has lasted. */
export function settle(state: LinkState, now: number): Step {
  const { calmer } = state;
  if (calmer === null || now - calmer.since < SETTLE_MS) return { state, effects: [] };
  return change(state, calmer.interval);
}

/** The service answers a subscription with another interval by a snapshot, so nothing falls between the two. */
function change(state: LinkState, interval: number): Step {
  const next: LinkState = { ...state, interval, calmer: null };
  if (state.phase !== "open") return { state: next, effects: [] };
  const followed = Object.entries(state.sites).filter(([, stream]) => stream.status === "asked" || stream.status === "following");
  return { state: next, effects: subscribe(followed.map(([site]) => site), interval) };
}
