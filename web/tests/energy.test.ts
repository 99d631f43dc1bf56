import { describe, expect, it } from "vitest";
import { devicesOf } from "@/domain/device-tiles";
import { flows, loadOf, powerKeys, roleOfKey, selfSupply, type Balance } from "@/domain/energy";
import { layOut } from "@/domain/flow-layout";
import { flowSentence } from "@/domain/flow-words";
import type { Point } from "@/domain/site";

function point(key: string, more: Partial<Point> = {}): Point {
  const limits = { writable: false, minimum: null, maximum: null, fallback: null };
  return { id: 1, key, name: key, unit: "W", kind: "gauge", states: null, device: null, asset: null, adopted: true, ...limits, ...more };
}

describe("who feeds whom", () => {
  const cases: [string, Balance, string[]][] = [
    ["at night", { grid: 80, pv: 0, load: 80 }, ["grid-load 80"]],
    ["on a bright noon", { grid: -150, pv: 500, battery: -100, load: 250 }, ["pv-load 250", "pv-battery 100", "pv-grid 150"]],
    ["in the evening", { grid: 20, pv: 10, battery: 50, load: 80 }, ["pv-load 10", "battery-load 50", "grid-load 20"]],
    ["when the grid charges", { grid: 130, pv: 0, battery: -50, load: 80 }, ["grid-load 80", "grid-battery 50"]],
    ["when the battery feeds in", { grid: -60, pv: 0, battery: 100, load: 40 }, ["battery-load 40", "battery-grid 60"]],
    ["when the PV is not known", { grid: 80, pv: null, load: 80 }, ["grid-load 80"]],
    ["when nothing is known", { grid: null, load: null }, []],
  ];

  it.each(cases)("%s", (_, balance, expected) => {
    expect(flows(balance).map((flow) => `${flow.from}-${flow.to} ${flow.power}`)).toEqual(expected);
  });

  it("gives each part what it takes and never more, whatever the powers", () => {
    for (let round = 0; round < 500; round += 1) {
      const dice = (index: number) => Math.sin(round * 12.9898 + index * 78.233) * 1_000;
      const [pv, battery, load] = [Math.abs(dice(1)), dice(2), Math.abs(dice(3))];
      const found = flows({ pv, battery, load, grid: load - pv - battery });
      const through = (node: string, side: "from" | "to") => found.filter((flow) => flow[side] === node).reduce((sum, flow) => sum + flow.power, 0);
      expect(through("pv", "from")).toBeCloseTo(pv, 6);
      expect(through("load", "to")).toBeCloseTo(load, 6);
      expect(through("battery", "from") - through("battery", "to")).toBeCloseTo(battery, 6);
    }
  });
});

describe("the building's power", () => {
  it("is measured, or what the others leave", () => {
    expect(loadOf({ grid: 10, pv: 5, load: 99 })).toBe(99);
    expect(loadOf({ grid: 10, pv: 5, battery: -3 })).toBe(12);
    expect(loadOf({ grid: 10, pv: null })).toBeNull();
    expect(loadOf({})).toBeUndefined();
  });

  it("is self-supplied as far as it does not come from the grid", () => {
    expect(selfSupply({ grid: 25, pv: 75, load: 100 })).toBeCloseTo(0.75);
    expect(selfSupply({ grid: -50, pv: 150, load: 100 })).toBe(1);
    expect(selfSupply({ grid: null, load: 100 })).toBeNull();
    expect(selfSupply({ grid: 0, load: 0 })).toBeNull();
  });
});

describe("the role of a point", () => {
  it("comes from its asset before its name", () => {
    const keys = powerKeys([
      point("grid_meter.active_power"),
      point("inverter_2.active_power"),
      point("meter_9.active_power", { asset: { id: 1, name: "Roof", kind: "solar_array" } }),
      point("battery.power_setpoint"),
      point("grid_meter.reactive_power", { unit: "var" }),
    ]);
    expect(keys).toEqual({ grid: ["grid_meter.active_power"], pv: ["inverter_2.active_power", "meter_9.active_power"], battery: [], load: [], hvac: [] });
    expect(roleOfKey("weather.wind")).toBeNull();
  });
});

describe("the picture of the flow", () => {
  it("has a box for what the site has and no room for what it lacks", () => {
    const whole = layOut({ grid: -1, pv: 3, battery: -1, load: 1 }, false);
    const without = layOut({ grid: 1, load: 1 }, false);
    expect(whole.boxes.map((box) => box.node)).toEqual(["pv", "grid", "load", "battery"]);
    expect(without.boxes.map((box) => box.node)).toEqual(["grid", "load"]);
    expect(without.height).toBeLessThan(whole.height);
  });

  it("draws each flow as wide as its power, and none too thin to see", () => {
    const { ribbons } = layOut({ grid: -1, pv: 1_000, load: 999 }, false);
    expect(ribbons[0]?.width).toBeGreaterThan(25);
    expect(ribbons[1]?.width).toBeGreaterThanOrEqual(2.5);
  });

  it("can be heard", () => {
    expect(flowSentence({ grid: -146_000, pv: 468_000, battery: null, load: 244_000 })).toBe(
      "PV: producing 468 kW. Battery: no value. Grid: exporting 146 kW. Building: consuming 244 kW.",
    );
  });
});

describe("a device's card", () => {
  it("shows the power large, phases side by side, and counters last", () => {
    const device = { id: 1, key: "grid_meter", name: "Grid meter", profile: "stl_meter" };
    const [card] = devicesOf([
      point("grid_meter.reads", { device, unit: "", kind: "register" }),
      point("grid_meter.voltage_l1", { device, name: "Voltage L1", unit: "V" }),
      point("grid_meter.energy_import", { device, unit: "Wh", kind: "register" }),
      point("grid_meter.voltage_l2", { device, name: "Voltage L2", unit: "V" }),
      point("grid_meter.active_power", { device }),
    ]);
    expect(card?.main?.key).toBe("grid_meter.active_power");
    expect(card?.rows.map((row) => [row.label, row.points.length])).toEqual([["Voltage", 2], ["grid_meter.energy_import", 1], ["grid_meter.reads", 1]]);
  });
});
