import { describe, expect, it } from "vitest";
import { daysWord, ruleOf, ruleWords } from "@/domain/rules";
import config from "../../contract/fixtures/edge_config.json";

const READING = { name: (key: string) => key, show: (_: string, value: number) => `${value}` };
const rules = config.value.rules.map(ruleOf);

describe("a local rule", () => {
  it("of every kind is read from the contract's own example", () => {
    expect(rules.map((rule) => rule?.kind)).toEqual(["limit", "schedule", "hysteresis"]);
  });

  it("is told in sentences", () => {
    expect(rules.flatMap((rule) => (rule ? ruleWords(rule, READING) : []))).toEqual([
      "Keeps grid_meter.active_power at or below 50000.",
      "Moves battery.power_setpoint between 0 and 20000.",
      "Mon–Fri 02:00–04:00: battery.power_setpoint is -10000.",
      "When hvac.room_temperature is above 25, hvac.setpoint is 20.",
      "When it is below 23, hvac.setpoint is let go.",
    ]);
  });

  it("that switches on below says so", () => {
    const rule = ruleOf({ kind: "hysteresis", key: "k", name: "n", point: "p.q", input: "a.b", on_at: 19, off_at: 21, off_value: 0 });
    expect(rule && ruleWords(rule, READING)).toEqual(["When a.b is below 19, p.q is 1.", "When it is above 21, p.q is 0."]);
  });

  it.each([{}, null, { kind: "wish", key: "k", name: "n", point: "p.q" }, { kind: "limit", key: "k", name: "n", point: "p.q" }])("%j is none", (value) => {
    expect(ruleOf(value)).toBeNull();
  });

  it.each([
    [[0, 1, 2, 3, 4, 5, 6], "Every day"],
    [[0, 1, 2, 3, 4], "Mon–Fri"],
    [[5, 6], "Sat, Sun"],
    [[2], "Wed"],
    [[0, 2, 9], "Mon, Wed"],
  ])("%j is %s", (days, word) => {
    expect(daysWord(days)).toBe(word);
  });
});
