import { beforeEach, describe, expect, it } from "vitest";
import { FillHoles } from "@/application/fill-holes";
import { LiveTraces, WINDOW_MS } from "@/application/live-traces";
import type { HistoryGateway, HistoryQuery } from "@/application/ports";
import type { Trace } from "@/domain/history";
import { Problem } from "@/domain/problem";
import { batch } from "./batches";
import { ManualClock } from "./manual-clock";

const SITE = "site_7";
const GRID = "grid_meter.active_power";

function trace(ts: number[], value: (number | null)[] = ts.map(() => 1)): Trace {
  return { key: GRID, name: "", unit: "W", kind: "gauge", low: null, high: null, ts, value, doubt: ts.map(() => false) };
}

let clock: ManualClock;
let traces: LiveTraces;

beforeEach(() => {
  clock = new ManualClock();
  traces = new LiveTraces(clock);
});

describe("a live trace", () => {
  it("keeps only the points that someone draws", () => {
    const drop = traces.keep(SITE, [GRID]);
    traces.apply(SITE, [batch(1, clock.now(), { [GRID]: 5, "pv_inverter.active_power": 6 })]);
    expect(traces.samples(SITE, GRID).value).toEqual([5]);
    expect(traces.samples(SITE, "pv_inverter.active_power").value).toEqual([]);
    drop();
    expect(traces.samples(SITE, GRID).value).toEqual([]);
  });

  it("is kept while anyone still draws it", () => {
    const first = traces.keep(SITE, [GRID]);
    traces.keep(SITE, [GRID]);
    traces.apply(SITE, [batch(1, clock.now(), { [GRID]: 5 })]);
    first();
    expect(traces.samples(SITE, GRID).value).toEqual([5]);
  });

  it("takes its past from history without losing what came live meanwhile", () => {
    traces.keep(SITE, [GRID]);
    const now = clock.now();
    traces.apply(SITE, [batch(1, now, { [GRID]: 5 })]);
    traces.backfill(SITE, { traces: [trace([now - 2_000, now - 1_000, now], [1, 2, 99])], gaps: [] });
    traces.apply(SITE, [batch(2, now + 1_000, { [GRID]: 6 })]);
    expect(traces.samples(SITE, GRID)).toEqual({ ts: [now - 2_000, now - 1_000, now, now + 1_000], value: [1, 2, 5, 6], doubt: [false, false, false, false] });
  });

  it("knows the gaps that the edge itself reports, live or in history, each once", () => {
    traces.keep(SITE, [GRID]);
    const gap = { from: clock.now() - 9_000, to: clock.now() - 1_000, reason: "edge_down" };
    traces.apply(SITE, [batch(1, clock.now(), { [GRID]: 5 }, { gaps: [gap] })]);
    traces.backfill(SITE, { traces: [], gaps: [{ ...gap }, { from: 0, to: 1, reason: "edge_down" }] });
    expect(traces.gaps(SITE)).toEqual([gap]);
  });

  it("forgets what is older than its window", async () => {
    traces.keep(SITE, [GRID]);
    traces.apply(SITE, [batch(1, clock.now(), { [GRID]: 5 })]);
    await clock.pass(WINDOW_MS + 120_000);
    traces.apply(SITE, [batch(2, clock.now(), { [GRID]: 6 })]);
    expect(traces.samples(SITE, GRID).value).toEqual([6]);
  });
});

describe("a hole in a live trace", () => {
  class Past implements HistoryGateway {
    readonly asked: { query: HistoryQuery; at: number }[] = [];
    answers: (Trace | Problem)[] = [];

    history(query: HistoryQuery) {
      this.asked.push({ query, at: clock.now() });
      const answer = this.answers.shift() ?? trace([]);
      if (answer instanceof Problem) return Promise.reject(answer);
      return Promise.resolve({ timezone: "UTC", from: query.from, to: query.to, resolution: "raw" as const, traces: [answer], gaps: [] });
    }
  }

  let past: Past;
  let holes: FillHoles;
  let hole: { from: number; to: number };

  beforeEach(() => {
    past = new Past();
    holes = new FillHoles(traces, past, clock);
    hole = { from: clock.now() - 5_000, to: clock.now() };
    traces.keep(SITE, [GRID]);
  });

  it("is pending until history has answered, and is asked for after a random wait", async () => {
    past.answers = [trace([hole.from + 1_000])];
    clock.dice = 0;
    holes.fill(SITE, hole);
    expect(traces.pending(SITE)).toEqual([hole]);
    await clock.pass(1_499);
    expect(past.asked).toEqual([]);
    await clock.pass(1);
    expect(past.asked[0]?.query).toMatchObject({ siteId: 7, keys: [GRID], from: hole.from, raw: true });
    expect(traces.pending(SITE)).toEqual([]);
    expect(traces.samples(SITE, GRID).ts).toEqual([hole.from + 1_000]);
  });

  it("is asked for again, because history may be behind", async () => {
    holes.fill(SITE, hole);
    await clock.pass(120_000);
    expect(past.asked).toHaveLength(3);
  });

  it("stays pending while history cannot be asked", async () => {
    past.answers = [new Problem("unavailable")];
    holes.fill(SITE, hole);
    await clock.pass(6_000);
    expect(traces.pending(SITE)).toEqual([hole]);
    await clock.pass(20_000);
    expect(traces.pending(SITE)).toEqual([]);
  });

  it("that was only announced is replaced by what it turned out to be", () => {
    holes.expect(SITE, hole.from);
    holes.fill(SITE, hole);
    expect(traces.pending(SITE)).toEqual([hole]);
  });

  it("of an earlier session is not asked for", async () => {
    holes.fill(SITE, hole);
    holes.clear();
    await clock.pass(120_000);
    expect(past.asked).toEqual([]);
  });
});
