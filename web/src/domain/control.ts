import type { ControlEvent } from "./messages";

/** What a local rule did. Times in ms. */
export interface ControlChange {
  readonly id: string;
  readonly rule: string;
  readonly key: string;
  readonly action: ControlEvent["action"];
  readonly at: number;
  readonly value: number | null;
  readonly input: number | null;
  readonly detail: string | null;
}

export function changeOf(event: ControlEvent): ControlChange {
  const { id, rule, point, action, ts, value, input, detail } = event;
  return { id, rule, key: point, action, at: ts, value: value ?? null, input: input ?? null, detail: detail ?? null };
}

/** A list as it was fetched, the newest first, with what was told since. */
export function withChanges(changes: readonly ControlChange[], events: readonly ControlEvent[]): ControlChange[] {
  const known = new Set(changes.map((change) => change.id));
  return [...events.filter((event) => !known.has(event.id)).map(changeOf), ...changes].sort((a, b) => b.at - a.at);
}

const WORDS: Readonly<Record<ControlEvent["action"], string>> = {
  started: "took over", adjusted: "moved", stopped: "let go of", stale: "does not know its input for", overruled: "was overruled at",
  failed: "could not set",
};

export function actionWord(action: ControlEvent["action"]): string {
  return WORDS[action];
}

/** How an edge said that it is doing. Times in ms, sizes in bytes. */
export interface EdgeStatus {
  readonly seen: number | null;
  readonly stale: boolean;
  readonly revision: string;
  readonly backlog: number;
  readonly backlogSize: number;
  readonly oldest: number | null;
  readonly dropped: number;
  /** How far its clock is ahead, ms. */
  readonly offset: number | null;
  readonly problems: readonly string[];
  readonly devices: readonly DeviceHealth[];
}

export interface DeviceHealth {
  readonly key: string;
  readonly points: number;
  readonly good: number;
  readonly answered: number | null;
  readonly reason: string | null;
  readonly since: number | null;
}
