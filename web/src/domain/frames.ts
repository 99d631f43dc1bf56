import type {
  AlertEvent, Batch, ClientFrame, CommandEvent, ControlEvent, Gap, MergedBatch, Reading, ServerFrame, SiteGrant,
} from "./messages";
import { isAbsent, isFlag, isListOf, isMapOf, isNumber, isRecord, isText, isWhole } from "./guards";

/** Guards for every message the browser receives. By hand, because they run on every batch and must cost nothing. */

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || isNumber(value);
}

function isReading(value: unknown): value is Reading {
  return (
    isRecord(value) &&
    isWhole(value.ts) &&
    isMapOf(value.values, isNumberOrNull) &&
    (isAbsent(value.quality) || isMapOf(value.quality, isText))
  );
}

function isGap(value: unknown): value is Gap {
  return isRecord(value) && isWhole(value.from) && isWhole(value.to) && isText(value.reason);
}

export function isBatch(value: unknown): value is Batch {
  return (
    isRecord(value) &&
    value.v === 1 &&
    isText(value.edge) &&
    isText(value.boot) &&
    isWhole(value.seq) &&
    isWhole(value.sent) &&
    isListOf(value.readings, isReading) &&
    (isAbsent(value.gaps) || isListOf(value.gaps, isGap))
  );
}

export function isMergedBatch(value: unknown): value is MergedBatch {
  return (
    isRecord(value) &&
    isText(value.edge) &&
    isText(value.boot) &&
    isWhole(value.seq_from) &&
    isWhole(value.seq_to) &&
    value.seq_from <= value.seq_to &&
    isWhole(value.sent) &&
    isListOf(value.readings, isReading) &&
    (isAbsent(value.gaps) || isListOf(value.gaps, isGap))
  );
}

function isSiteGrant(value: unknown): value is SiteGrant {
  return (
    isRecord(value) &&
    isText(value.site) &&
    isText(value.name) &&
    isWhole(value.organization) &&
    isText(value.role) &&
    isListOf(value.actions, isText)
  );
}

export function isAlertEvent(value: unknown): value is AlertEvent {
  return (
    isRecord(value) && isText(value.id) && isText(value.state) && isText(value.severity) &&
    isWhole(value.ts) && isText(value.rule) && isText(value.message)
  );
}

export function isCommandEvent(value: unknown): value is CommandEvent {
  return (
    isRecord(value) && isText(value.id) && isText(value.point) && isText(value.state) && isWhole(value.ts)
  );
}

export function isControlEvent(value: unknown): value is ControlEvent {
  return (
    isRecord(value) && isText(value.id) && isText(value.rule) && isText(value.point) && isText(value.action) && isWhole(value.ts)
  );
}

type Fields = Readonly<Record<string, unknown>>;

const SERVER: Readonly<Record<ServerFrame["type"], (frame: Fields) => boolean>> = {
  welcome: (frame) =>
    isText(frame.session) && isWhole(frame.server_time) && isWhole(frame.expires) &&
    isWhole(frame.heartbeat) && isListOf(frame.sites, isSiteGrant),
  grant: (frame) => isWhole(frame.expires) && isFlag(frame.stale) && isListOf(frame.sites, isSiteGrant),
  snapshot: (frame) => isText(frame.site) && Array.isArray(frame.batches),
  telemetry: (frame) => isText(frame.site) && Array.isArray(frame.batches),
  merged: (frame) => isText(frame.site) && isWhole(frame.interval) && Array.isArray(frame.batches),
  gap: (frame) => isText(frame.site) && isWhole(frame.since) && isText(frame.reason),
  alert: (frame) => isText(frame.site) && isAlertEvent(frame.alert),
  command: (frame) => isText(frame.site) && isCommandEvent(frame.command),
  control: (frame) => isText(frame.site) && isControlEvent(frame.control),
  error: (frame) => isWhole(frame.code) && isText(frame.message) && (isAbsent(frame.site) || isText(frame.site)),
  pong: (frame) => isWhole(frame.id) && isWhole(frame.server_time),
  heartbeat: (frame) => isWhole(frame.server_time) && isFlag(frame.live),
};

function isServerFrame(value: unknown): value is ServerFrame {
  if (!isRecord(value) || !isText(value.type) || !Object.hasOwn(SERVER, value.type)) return false;
  return SERVER[value.type as ServerFrame["type"]](value);
}

/**
 * Text of one frame -> the frame; null for what this version does not understand, which a client ignores.
 * A batch that is none is left out: the service joins batches unread, and one bad edge must not silence the others.
 */
export function parseServerFrame(text: string): ServerFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (!isServerFrame(value)) return null;
  if (value.type === "telemetry" || value.type === "snapshot") return { ...value, batches: value.batches.filter(isBatch) };
  if (value.type === "merged") return { ...value, batches: value.batches.filter(isMergedBatch) };
  return value;
}

export function encodeClientFrame(frame: ClientFrame): string {
  return JSON.stringify(frame);
}
