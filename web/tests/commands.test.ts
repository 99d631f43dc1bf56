import { describe, expect, it } from "vitest";
import { inForce, isOver, limitWords, stateOf, upToDate, wantedValue, whyOf, withEvent, type Command } from "@/domain/command";
import type { CommandEvent } from "@/domain/messages";
import type { Point } from "@/domain/site";
import schema from "../../contract/schema/contract.schema.json";

const COMMAND: Command = {
  id: "a", point: 4, key: "battery.power_setpoint", value: 5000, state: "sent", reason: null, detail: null, readBack: null,
  requested: 1_000, requestedBy: "Olga", expires: 31_000, lease: 900, leaseUntil: null,
};
const POINT: Point = {
  id: 4, key: "battery.power_setpoint", name: "Power setpoint", unit: "W", kind: "gauge", states: null, writable: true,
  minimum: -20_000, maximum: 20_000, fallback: 0, device: null, asset: null, adopted: true,
};
const event = (state: CommandEvent["state"], more: Partial<CommandEvent> = {}): CommandEvent => ({
  type: "command", v: 1, id: "a", point: COMMAND.key, state, ts: 2_000, ...more,
});
const show = (value: number) => `${value} W`;

describe("a command and what is said of it", () => {
  it("goes on with each step", () => {
    const written = withEvent(COMMAND, event("written"));
    expect(written.state).toBe("written");
    expect(withEvent(written, event("verified", { read_back: 5000, lease_until: 90_000 }))).toMatchObject({ state: "verified", readBack: 5000, leaseUntil: 90_000 });
  });

  it("never goes back, whatever comes late", () => {
    const verified = { ...COMMAND, state: "verified" as const };
    expect(withEvent(verified, event("written"))).toBe(verified);
    expect(withEvent({ ...COMMAND, state: "reverted" }, event("verified")).state).toBe("reverted");
  });

  it("is no other command's", () => {
    expect(withEvent(COMMAND, event("verified", { id: "b" }))).toBe(COMMAND);
  });

  it("that the backend gave up may still turn out to be in force", () => {
    expect(withEvent({ ...COMMAND, state: "expired", reason: "expired" }, event("verified"))).toMatchObject({ state: "verified", reason: null });
  });

  it.each([["requested", false], ["written", false], ["rejected", true], ["verified", true]] as const)("%s: over is %s", (state, over) => {
    expect(isOver(state)).toBe(over);
  });

  it("that gave its point back is not called in force", () => {
    expect(stateOf({ state: "verified", value: null })).toBe("Given back");
  });
});

describe("why a command ended", () => {
  it.each(schema.$defs.CommandReason.enum)("%s has a sentence", (reason) => {
    expect(whyOf({ reason, detail: null })).not.toContain("The edge says");
  });

  it("is told in the edge's own words where there are any, also for reasons of later versions", () => {
    expect(whyOf({ reason: "expired", detail: "1 s too late" })).toBe("1 s too late");
    expect(whyOf({ reason: "moon_phase", detail: null })).toBe("The edge says: moon phase.");
  });
});

describe("a list of commands", () => {
  it("is brought up to date by everything that was told, in its order", () => {
    const other = { ...COMMAND, id: "b" };
    const told = [event("verified", { read_back: 5000 }), event("written", { id: "b" }), event("written")];
    expect(upToDate([COMMAND, other], told).map(({ state, readBack }) => [state, readBack])).toEqual([["verified", 5000], ["written", null]]);
  });
});

describe("who holds a point", () => {
  const verified = { ...COMMAND, state: "verified" as const };

  it("is the newest that is in force", () => {
    expect(inForce([{ ...COMMAND, id: "c", state: "rejected" }, verified], COMMAND.key, 5_000)?.id).toBe("a");
  });

  it.each([
    ["given back", [{ ...verified, id: "c", value: null }, verified]],
    ["ended", [{ ...verified, id: "c", state: "reverted" as const }, verified]],
    ["over by its lease", [{ ...verified, leaseUntil: 4_000 }]],
    ["another point's", [{ ...verified, key: "hvac.setpoint" }]],
  ])("nobody, where it was %s", (_, commands) => {
    expect(inForce(commands, COMMAND.key, 5_000)).toBeNull();
  });
});

describe("a value that somebody typed", () => {
  it.each([["-5000", -5000], ["−5000", -5000], ["1,5", 1.5], [" 20000 ", 20_000]])("%s is read", (text, value) => {
    expect(wantedValue(POINT, text, show)).toEqual({ value });
  });

  it.each(["", "many", "1e999", "NaN"])("%j is no number", (text) => {
    expect(wantedValue(POINT, text, show)).toEqual({ problem: "Write a number." });
  });

  it.each(["20001", "-20000.5"])("%s is out of the limits, which are told", (text) => {
    expect(wantedValue(POINT, text, show)).toEqual({ problem: "Out of its limits: -20000 W to 20000 W." });
  });

  it("knows one limit alone", () => {
    expect(limitWords({ ...POINT, minimum: null }, show)).toBe("At most 20000 W");
    expect(limitWords({ ...POINT, maximum: null }, show)).toBe("At least -20000 W");
    expect(limitWords({ ...POINT, minimum: null, maximum: null }, show)).toBeNull();
  });
});
