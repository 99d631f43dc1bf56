import { offsetAt } from "./site-time";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STEPS = [
  10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 7 * DAY, 14 * DAY,
];

/** Round local times between `from` and `to` (ms), about `count` of them; midnights stay midnights across a DST change. */
export function timeTicks(from: number, to: number, timezone: string, count: number): number[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= count) ?? 30 * DAY;
  const ticks: number[] = [];
  const offset = offsetAt(from, timezone);
  for (let local = Math.ceil((from + offset) / step) * step; ; local += step) {
    // The local wall time, read back through the offset that holds there.
    const guess = local - offsetAt(local - offset, timezone);
    const ts = local - offsetAt(guess, timezone);
    if (ts > to) return ticks;
    if (ts >= from && ts !== ticks.at(-1)) ticks.push(ts);
  }
}

/** True where every tick is a midnight, so that the axis names days and not hours. */
export function ticksAreDays(ticks: readonly number[], timezone: string): boolean {
  return ticks.length > 0 && ticks.every((ts) => (ts + offsetAt(ts, timezone)) % DAY === 0);
}

/** Round numbers that cover low..high, about `count` steps; the first and last are the axis' ends. */
export function valueTicks(low: number, high: number, count = 4): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}
