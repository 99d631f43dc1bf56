import type { CommandEvent } from "./messages";
import type { Point } from "./site";

export type CommandState = CommandEvent["state"];

/** Somebody's wish for one writable point. Times in ms; `lease` in s, null: until it is changed. */
export interface Command {
  readonly id: string;
  readonly point: number;
  readonly key: string;
  /** In the point's unit; null gives the point back, so that its default is restored. */
  readonly value: number | null;
  readonly state: CommandState;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly readBack: number | null;
  readonly requested: number;
  readonly requestedBy: string;
  readonly expires: number;
  readonly lease: number | null;
  readonly leaseUntil: number | null;
}

/** What is asked for. `id` is made here, so that a repeated request is known for what it is. */
export interface NewCommand {
  readonly id: string;
  readonly site: number;
  readonly point: number;
  readonly value: number | null;
  readonly lease: number | null;
}

const RANK: Readonly<Record<CommandState, number>> = {
  requested: 0, sent: 1, written: 2, rejected: 3, failed: 3, expired: 3, verified: 4, reverted: 5,
};

export function isOver(state: CommandState): boolean {
  return RANK[state] >= RANK.rejected;
}

/** The command with what an event says of it; an event that lies behind what is known changes nothing. */
export function withEvent(command: Command, event: CommandEvent): Command {
  if (event.id !== command.id || RANK[event.state] <= RANK[command.state]) return command;
  return {
    ...command,
    state: event.state,
    reason: event.reason ?? null,
    detail: event.detail ?? null,
    readBack: event.read_back ?? command.readBack,
    leaseUntil: event.lease_until ?? command.leaseUntil,
  };
}

/** A list as it was fetched, brought up to date by events, of which the newest comes first. */
export function upToDate(commands: readonly Command[], events: readonly CommandEvent[]): Command[] {
  return commands.map((command) => events.reduceRight((known, event) => withEvent(known, event), command));
}

/** The command whose value a point holds now, of a list that begins with the newest; null where nobody holds it. */
export function inForce(commands: readonly Command[], key: string, now: number): Command | null {
  for (const command of commands) {
    if (command.key !== key || (command.state !== "verified" && command.state !== "reverted")) continue;
    const held = command.state === "verified" && command.value !== null;
    return held && (command.leaseUntil === null || command.leaseUntil > now) ? command : null;
  }
  return null;
}

const STATE_WORDS: Readonly<Record<CommandState, string>> = {
  requested: "Requested", sent: "Sent", written: "Written", verified: "In force", rejected: "Rejected", failed: "Failed",
  expired: "Expired", reverted: "Ended",
};

/** One word for a list. A value that was given back is not "in force". */
export function stateOf({ state, value }: Pick<Command, "state" | "value">): string {
  return state === "verified" && value === null ? "Given back" : STATE_WORDS[state];
}

export type Tone = "plain" | "accent" | "ok" | "warn" | "alarm";

export function toneOf(state: CommandState): Tone {
  if (state === "verified") return "ok";
  if (state === "rejected" || state === "failed") return "alarm";
  if (state === "expired") return "warn";
  return state === "reverted" ? "plain" : "accent";
}

const REASONS: Readonly<Record<string, string>> = {
  expired: "It did not reach the edge in time, so nothing was written.",
  unknown_point: "The edge does not know this point.",
  read_only: "This point cannot be written.",
  below_minimum: "The value is below what this point may have.",
  above_maximum: "The value is above what this point may have.",
  not_a_state: "The device has no such state.",
  replayed: "The same command came a second time with another content.",
  superseded: "A newer command took its place.",
  overruled: "A local rule of higher priority holds this point.",
  device_refused: "The device refused the value.",
  device_silent: "The device did not answer.",
  read_back_differs: "The device took the value, but says another one.",
  lease_ended: "Its time was over; the default is in force again.",
  released: "It was given back; the default is in force again.",
  not_sent: "It could not be handed over to the edge.",
  not_kept: "The edge could not keep it on its disk, so nothing was written.",
  interrupted: "The edge restarted meanwhile, and the device does not say this value.",
};

/** A sentence for why it ended as it did; the edge's own where there is one. */
export function whyOf({ reason, detail }: Pick<Command, "reason" | "detail">): string | null {
  return detail ?? (reason === null ? null : (REASONS[reason] ?? `The edge says: ${reason.replaceAll("_", " ")}.`));
}

/** The steps of a command that goes well, and how far it came. */
export const STEPS = ["requested", "sent", "written", "verified"] as const;

export function stepReached(state: CommandState): number {
  return state === "reverted" ? STEPS.length - 1 : STEPS.findIndex((step) => step === state);
}

/** How long a value may be held, in s; 0: until it is changed. Only a point with a default can have an end. */
export const HOLDS = [
  { value: "0", label: "Until it is changed" },
  { value: "900", label: "15 minutes" },
  { value: "3600", label: "1 hour" },
  { value: "14400", label: "4 hours" },
  { value: "86400", label: "1 day" },
] as const;

/** What may be typed, in words: "−20 kW to 20 kW" comes from the caller's own `show`. */
export function limitWords(point: Point, show: (value: number) => string): string | null {
  const { minimum, maximum } = point;
  if (minimum !== null && maximum !== null) return `${show(minimum)} to ${show(maximum)}`;
  if (minimum !== null) return `At least ${show(minimum)}`;
  return maximum === null ? null : `At most ${show(maximum)}`;
}

export type Wanted = { readonly value: number } | { readonly problem: string };

/** The number that somebody typed, checked against the point; or what is wrong with it. */
export function wantedValue(point: Point, text: string, show: (value: number) => string): Wanted {
  const number = Number(text.trim().replace(",", ".").replace("−", "-"));
  if (text.trim() === "" || !Number.isFinite(number)) return { problem: "Write a number." };
  const tooLow = point.minimum !== null && number < point.minimum;
  const tooHigh = point.maximum !== null && number > point.maximum;
  if (tooLow || tooHigh) return { problem: `Out of its limits: ${limitWords(point, show) ?? ""}.` };
  return { value: number };
}
