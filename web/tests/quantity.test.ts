import { describe, expect, it } from "vitest";
import { exact, figure, fixed, onScale, scaleFor, stateWord } from "@/domain/quantity";

const read = (value: number, unit: string) => {
  const { number, unit: scaled } = figure(value, unit);
  return `${number} ${scaled}`.trim();
};

describe("a figure", () => {
  it.each([
    [0, "W", "0 W"],
    [987.4, "W", "987 W"],
    [999.4, "W", "999 W"],
    [999.5, "W", "1.00 kW"],
    [1_000, "W", "1.00 kW"],
    [12_400, "W", "12.4 kW"],
    [99_960, "W", "100 kW"],
    [999_600, "W", "1.00 MW"],
    [3_210_000, "Wh", "3.21 MWh"],
    [-1_234.5, "W", "−1.23 kW"],
    [5_400_000_000, "Wh", "5.40 GWh"],
    [231.26, "V", "231.3 V"],
    [49.987, "Hz", "49.99 Hz"],
    [-0.04, "°C", "0.0 °C"],
    [55.5, "%", "55.5 %"],
  ])("of %d %s reads %s", (value, unit, words) => {
    expect(read(value, unit)).toBe(words);
  });

  it("of a counter without a unit has no decimals, a factor has two", () => {
    expect(figure(1_234_567, "", "register").number).toBe("1,234,567");
    expect(figure(0.981, "", "gauge").number).toBe("0.98");
  });

  it("never changes its sign by rounding", () => {
    for (const value of [-0.4, -0.04, -0.001]) expect(fixed(value, 0)).toBe("0");
    expect(fixed(-0.5, 1)).toBe("−0.5");
  });
});

describe("a shared scale", () => {
  it("gives a column one unit and one number of decimals", () => {
    const scale = scaleFor(158_800, "W");
    expect(scale.unit).toBe("kW");
    expect([72_400, -158_800, 0].map((value) => onScale(value, scale))).toEqual(["72.4", "−158.8", "0.0"]);
  });
});

describe("the exact value", () => {
  it("is in the base unit with all its digits", () => {
    expect(exact(-12_345.678, "W")).toBe("−12,345.678 W");
  });
});

describe("a state", () => {
  it("reads as its word, and as its number where the profile names none", () => {
    expect(stateWord(2, { "2": "running" })).toBe("Running");
    expect(stateWord(9, { "2": "running" })).toBe("State 9");
    expect(stateWord(9, null)).toBe("State 9");
  });
});
