import { describe, expect, it } from "vitest";
import { clock, isTimezone, moment, offsetAt } from "@/domain/site-time";
import { ticksAreDays, timeTicks, valueTicks } from "@/domain/ticks";

const HOUR = 3_600_000;
const BERLIN = "Europe/Berlin";

describe("a time", () => {
  it("is shown where the site is", () => {
    const ts = Date.UTC(2026, 5, 1, 12, 0, 5);
    expect(clock(ts, BERLIN)).toBe("14:00");
    expect(clock(ts, "America/Chicago")).toBe("07:00");
    expect(moment(ts, BERLIN, true)).toBe("Mon 1 Jun, 14:00:05");
  });

  it("knows its zone's offset on both sides of a change", () => {
    expect(offsetAt(Date.UTC(2026, 2, 29, 0, 59), BERLIN)).toBe(HOUR);
    expect(offsetAt(Date.UTC(2026, 2, 29, 1, 0), BERLIN)).toBe(2 * HOUR);
    expect(offsetAt(Date.UTC(2026, 0, 1) + 123, "Asia/Kathmandu")).toBe(5.75 * HOUR);
  });

  it("tells a zone from a word", () => {
    expect(isTimezone(BERLIN)).toBe(true);
    expect(isTimezone("Mars/Olympus")).toBe(false);
  });
});

describe("time ticks", () => {
  it("are round local times", () => {
    const to = Date.UTC(2026, 5, 1, 12, 7);
    const ticks = timeTicks(to - 24 * HOUR, to, "Asia/Kathmandu", 8);
    expect(ticks.map((ts) => clock(ts, "Asia/Kathmandu"))).toEqual(["18:00", "21:00", "00:00", "03:00", "06:00", "09:00", "12:00", "15:00"]);
  });

  it.each([["spring", Date.UTC(2026, 2, 27)], ["autumn", Date.UTC(2026, 9, 23)]])("stay on midnight across the change in %s", (_, from) => {
    const ticks = timeTicks(from, from + 7 * 24 * HOUR, BERLIN, 8);
    expect(new Set(ticks.map((ts) => clock(ts, BERLIN)))).toEqual(new Set(["00:00"]));
    expect(ticks).toHaveLength(7);
    expect(ticksAreDays(ticks, BERLIN)).toBe(true);
  });

  it("ascend and stay within the range", () => {
    for (const span of [60_000, 15 * 60_000, HOUR, 30 * 24 * HOUR]) {
      const from = Date.UTC(2026, 9, 25, 0, 30);
      const ticks = timeTicks(from, from + span, BERLIN, 8);
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks).toEqual([...new Set(ticks)].sort((a, b) => a - b));
      expect(ticks.every((ts) => ts >= from && ts <= from + span)).toBe(true);
    }
  });
});

describe("value ticks", () => {
  it.each([[0, 518, [0, 200, 400, 600]], [-170, 505, [-200, 0, 200, 400, 600]], [0, 0, [0, 0.25, 0.5, 0.75, 1].slice(0, 2)], [229.8, 231.4, [229.5, 230, 230.5, 231, 231.5]]])("of %d to %d are round and cover them", (low, high, ticks) => {
    expect(valueTicks(low, high)).toEqual(ticks);
  });
});
