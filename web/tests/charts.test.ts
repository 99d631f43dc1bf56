import { describe, expect, it } from "vitest";
import { doubtSpans, extremes, rowsOf } from "@/domain/chart-rows";
import { csvOf } from "@/domain/csv";
import { indexAt, type Trace } from "@/domain/history";
import { sankey } from "@/domain/sankey";
import { sparkPath } from "@/domain/spark-path";
import { historyOf } from "@/infrastructure/history-api";

const T = 1_790_000_000_000;

function trace(key: string, offsets: number[], value: (number | null)[], more: Partial<Trace> = {}): Trace {
  return { key, name: key, unit: "W", kind: "gauge", ts: offsets.map((each) => T + each), value, low: null, high: null, doubt: value.map(() => false), ...more };
}

/** [seconds since T, value of each key] */
function table(traces: Trace[], resolution: "raw" | "1m" = "raw", span = 60_000) {
  return rowsOf(traces, resolution, T, T + span).map((row) => [(row.ts - T) / 1_000, ...traces.map((each) => row.values[each.key] ?? null)]);
}

describe("the rows of a chart", () => {
  it("bring devices that were read some ms apart onto one row", () => {
    const a = trace("a", [0, 5_000, 10_000], [1, 2, 3]);
    const b = trace("b", [200, 5_200, 10_200], [7, 8, 9]);
    expect(table([a, b])).toEqual([[0.2, 1, 7], [5.2, 2, 8], [10.2, 3, 9]]);
  });

  it("put a slow point between its neighbours, on their line", () => {
    const fast = trace("fast", [0, 5_000, 10_000], [1, 2, 3]);
    const slow = trace("slow", [0, 10_000, 20_000], [10, 20, 20]);
    expect(table([fast, slow]).slice(0, 3)).toEqual([[0, 1, 10], [5, 2, 15], [10, 3, 20]]);
  });

  it("hold a state until it changes", () => {
    const fast = trace("fast", [0, 5_000, 10_000], [1, 2, 3]);
    const state = trace("state", [0, 10_000, 20_000], [2, 0, 0], { kind: "state" });
    expect(table([fast, state]).slice(0, 3).map((row) => row[2])).toEqual([2, 2, 0]);
  });

  it("break a line where samples are missing, also where it is the only one", () => {
    const a = trace("a", [0, 5_000, 10_000, 40_000, 45_000, 50_000, 55_000], [1, 2, 3, 4, 5, 6, 7]);
    expect(table([a])).toEqual([[0, 1], [5, 2], [10, 3], [11, null], [40, 4], [45, 5], [50, 6], [55, 7]]);
  });

  it("join each pace within itself: a minute's history goes on into a second's live values", () => {
    const slow = [0, 1, 2, 3, 4, 5].map((minute) => minute * 60_000);
    const fast = Array.from({ length: 10 }, (_, second) => 300_000 + 30_000 + second * 1_000);
    const after = Array.from({ length: 10 }, (_, second) => 300_000 + 30_000 + 49_000 + second * 1_000);
    const offsets = [...slow, ...fast, ...after];
    const rows = table([trace("a", offsets, offsets.map(() => 1))], "raw", 600_000);
    const broken = rows.filter((row) => row[1] === null).map((row) => row[0]);
    expect(broken).toEqual([340]);
  });

  it("break a line at a bad sample, and never draw it as zero", () => {
    expect(table([trace("a", [0, 5_000, 10_000], [1, null, 3])])).toEqual([[0, 1], [5, null], [10, 3]]);
  });

  it("break a line of averages where a bucket is missing", () => {
    const a = trace("a", [0, 60_000, 180_000], [1, 2, 3]);
    expect(table([a], "1m", 300_000).map((row) => row[1])).toEqual([1, 2, null, 3]);
  });

  it("know their lowest and highest value, with the bands if those are drawn", () => {
    const rows = rowsOf([trace("a", [0, 60_000], [1, 5], { low: [-2, 4], high: [3, 9] })], "1m", T, T + 120_000);
    expect(extremes(rows, ["a"], false)).toEqual([1, 5]);
    expect(extremes(rows, ["a"], true)).toEqual([-2, 9]);
    expect(extremes(rows, ["b"], true)).toBeNull();
  });
});

describe("uncertain values", () => {
  it("are joined to spans", () => {
    const a = trace("a", [0, 5_000, 10_000, 15_000], [1, 2, 3, 4], { doubt: [false, true, true, false] });
    expect(doubtSpans(a, "raw")).toEqual([{ from: T + 5_000, to: T + 15_000 }]);
  });
});

describe("a sample at an instant", () => {
  it("is the last one before it", () => {
    expect([-1, 0, 4, 5, 99].map((at) => indexAt([0, 5, 10], at))).toEqual([-1, 0, 0, 1, 2]);
    expect(indexAt([], 5)).toBe(-1);
  });
});

describe("a small chart", () => {
  it("is broken where samples are missing, and empty with fewer than two", () => {
    const path = sparkPath([0, 1_000, 2_000, 60_000, 61_000], [1, 2, 3, 4, 5], 0, 61_000, 100, 30);
    expect(path.match(/M/g)).toHaveLength(2);
    expect(sparkPath([0], [1], 0, 10, 100, 30)).toBe("");
  });
});

describe("CSV", () => {
  it("has one line for each time and an empty cell for no value", () => {
    const csv = csvOf([trace("a.p", [0, 1_000], [1.5, null]), trace("b.p", [1_000], [-2], { unit: "" })], "Europe/Berlin");
    expect(csv.split("\r\n")).toEqual([
      "time_utc,time_local (Europe/Berlin),a.p (W),b.p",
      "2026-09-21T14:13:20.000Z,2026-09-21 16:13:20,1.5,",
      "2026-09-21T14:13:21.000Z,2026-09-21 16:13:21,,-2",
      "",
    ]);
  });

  it("runs nothing in a spreadsheet", () => {
    expect(csvOf([trace('=HYPERLINK("x")', [0], [1], { unit: "" })], "UTC")).toContain(`"'=HYPERLINK(""x"")"`);
  });
});

describe("an answer of the history API", () => {
  const raw = { key: "a.p", name: "P", unit: "W", kind: "gauge", ts: [T, T + 1], value: [1, null], quality: [3, 64] };
  const rollup = { key: "a.e", name: "E", unit: "Wh", kind: "register", ts: [T], avg: [5], min: [1], max: [9], first: [1], last: [9], count: [10], good: [4] };
  const answer = { site: "site_7", timezone: "UTC", from: T, to: T + 10, resolution: "raw", series: [raw], gaps: [{ edge: "edge_3", from: T, to: T + 5, reason: "edge_down" }], added_later: 1 };

  it("with samples says which are uncertain", () => {
    const [found] = historyOf(answer).traces;
    expect(found).toMatchObject({ value: [1, null], doubt: [true, false], low: null });
  });

  it("with rollups takes the average of a gauge and the last value of a counter", () => {
    const [counter] = historyOf({ ...answer, resolution: "15m", series: [rollup] }).traces;
    expect(counter).toMatchObject({ value: [9], low: null, doubt: [true] });
    const [gauge] = historyOf({ ...answer, resolution: "15m", series: [{ ...rollup, kind: "gauge" }] }).traces;
    expect(gauge).toMatchObject({ value: [5], low: [1], high: [9] });
  });

  it.each([null, {}, { ...answer, resolution: "5m" }, { ...answer, series: [{ ...raw, value: ["x"] }] }])("that cannot be read is a problem, not a crash", (value) => {
    expect(() => historyOf(value)).toThrow(expect.objectContaining({ kind: "failed" }));
  });
});

describe("the picture at the sign-in", () => {
  it("loses nothing between its two sides", () => {
    const { sources, sinks } = sankey([{ from: "a", to: "x", size: 3 }, { from: "a", to: "y", size: 2 }, { from: "b", to: "y", size: 1 }], 0, 100, 50, 10);
    expect(sources.map((bar) => bar.height)).toEqual([5, 1]);
    expect(sinks.map((bar) => bar.height)).toEqual([3, 3]);
  });
});
