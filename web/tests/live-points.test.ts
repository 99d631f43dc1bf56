import { beforeEach, describe, expect, it } from "vitest";
import { LivePoints } from "@/application/live-points";
import { batch } from "./batches";
import { ManualClock } from "./manual-clock";

const SITE = "site_7";
const GRID = "grid_meter.active_power";
const PV = "pv_inverter.active_power";

let clock: ManualClock;
let points: LivePoints;
let seen: number[];

beforeEach(() => {
  clock = new ManualClock();
  points = new LivePoints(clock);
  seen = [];
  points.subscribe(SITE, [GRID], () => seen.push(points.read(SITE, GRID)?.value ?? NaN));
});

function arrive(seq: number, values: Record<string, number | null>, quality?: Record<string, string>): void {
  points.apply(SITE, [batch(seq, clock.now(), values, quality ? { quality } : {})]);
}

describe("a figure", () => {
  it("is painted in the same turn in which it changed", () => {
    arrive(1, { [GRID]: 5 });
    expect(seen).toEqual([5]);
  });

  it("is painted at most twice a second, and ends on its newest value", async () => {
    for (let step = 0; step < 20; step += 1) {
      arrive(step + 1, { [GRID]: step });
      await clock.pass(100);
    }
    await clock.pass(500);
    expect(seen.length).toBeLessThanOrEqual(5);
    expect(seen.at(0)).toBe(0);
    expect(seen.at(-1)).toBe(19);
  });

  it("that was quiet is painted at once while another one waits", async () => {
    arrive(1, { [PV]: 1 });
    await clock.pass(100);
    arrive(2, { [PV]: 2, [GRID]: 7 });
    expect(seen).toEqual([7]);
    expect(points.read(SITE, PV)?.value).toBe(1);
    await clock.pass(400);
    expect(points.read(SITE, PV)?.value).toBe(2);
  });

  it("is repainted only by a batch that is about it", () => {
    arrive(1, { [PV]: 1 });
    points.apply("site_8", [batch(1, clock.now(), { [GRID]: 3 })]);
    expect(seen).toEqual([]);
  });

  it("is the same object until it changes, and news that is none is not painted", async () => {
    arrive(1, { [GRID]: 5 });
    const before = points.read(SITE, GRID);
    points.apply(SITE, [batch(1, clock.now(), { [GRID]: 5 })]);
    await clock.pass(1_000);
    expect(points.read(SITE, GRID)).toBe(before);
    expect(seen).toEqual([5]);
  });

  it("without a value keeps its reason and never becomes zero", () => {
    arrive(1, { [GRID]: null }, { [GRID]: "timeout" });
    expect(points.read(SITE, GRID)).toMatchObject({ value: null, quality: "bad", reason: "timeout" });
  });

  it("rises and falls against its last minute, and is flat within its noise", async () => {
    for (let step = 0; step < 30; step += 1) {
      arrive(step + 1, { [GRID]: 1_000 + (step % 2) });
      await clock.pass(1_000);
    }
    expect(points.read(SITE, GRID)?.trend).toBe("flat");
    arrive(31, { [GRID]: 1_200 });
    expect(points.read(SITE, GRID)?.trend).toBe("up");
    await clock.pass(1_000);
    arrive(32, { [GRID]: 700 });
    expect(points.read(SITE, GRID)?.trend).toBe("down");
  });

  it("is forgotten with the session", () => {
    arrive(1, { [GRID]: 5 });
    points.clear();
    expect(points.read(SITE, GRID)).toBeNull();
    expect(seen).toEqual([5, NaN]);
  });
});
