import type { Quality } from "./contract.gen";

/** Stored quality codes (0 good, 1-63 uncertain, 64-127 bad), as history answers give them. */
const REASON_OF_CODE: Readonly<Record<number, string>> = {
  1: "unsynchronised_clock", 2: "future", 3: "stuck", 63: "other",
  64: "timeout", 65: "connection_lost", 66: "device_exception", 67: "no_value",
  68: "garbled", 69: "out_of_range", 70: "not_polled", 127: "other",
};

const WORDS: Readonly<Record<string, string>> = {
  timeout: "The device did not answer in time",
  connection_lost: "The connection to the device is lost",
  device_exception: "The device refused the request",
  no_value: "The device reports no value",
  garbled: "The device's answer could not be understood",
  out_of_range: "The value is outside its possible range",
  not_polled: "The point is not being read",
  unsynchronised_clock: "The edge's clock is not synchronised",
  future: "The sample's time is in the future",
  stuck: "The value has not moved for too long",
  other: "The edge gave no reason",
};

const SHORT: Readonly<Record<string, string>> = {
  timeout: "Timeout",
  connection_lost: "Connection lost",
  device_exception: "Refused",
  no_value: "No value",
  garbled: "Garbled",
  out_of_range: "Out of range",
  not_polled: "Not read",
  unsynchronised_clock: "Clock not set",
  future: "From the future",
  stuck: "Stuck",
  other: "Not good",
};

/** A null value is bad, a value with a reason is uncertain, a plain value is good. */
export function qualityOf(value: number | null, reason: string | null): Quality {
  if (value === null) return "bad";
  return reason === null ? "good" : "uncertain";
}

export function qualityOfCode(code: number): Quality {
  if (code === 0) return "good";
  return code < 64 ? "uncertain" : "bad";
}

/** The reason behind a stored code; null when good. A code of a newer version reads "other". */
export function reasonOfCode(code: number): string | null {
  return code === 0 ? null : (REASON_OF_CODE[code] ?? "other");
}

/** A sentence for the tooltip. */
export function reasonSentence(reason: string): string {
  return WORDS[reason] ?? WORDS.other ?? reason;
}

/** Two words for the tile. */
export function reasonWord(reason: string): string {
  return SHORT[reason] ?? SHORT.other ?? reason;
}
