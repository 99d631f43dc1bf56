import { describe, expect, it } from "vitest";
import { ASKED, onLoss, onSnapshot, onTelemetry, patience, type SiteStream } from "@/domain/link/site-stream";
import { batch, merged, OTHER_BOOT } from "./batches";

const NOW = 1_000_000;

function following(seq: number): SiteStream {
  return onSnapshot(ASKED, [batch(seq, NOW)], NOW, 0).stream;
}

const seqs = (batches: readonly { seq: number }[]) => batches.map((each) => each.seq);

describe("the seq rule", () => {
  it("ignores what the snapshot already showed, of the same edge and boot", () => {
    const { fresh } = onTelemetry(following(10), [batch(9, NOW), batch(10, NOW), batch(11, NOW + 1)], NOW);
    expect(seqs(fresh)).toEqual([11]);
  });

  it("ignores a batch that comes twice", () => {
    const first = onTelemetry(following(10), [batch(11, NOW + 1)], NOW);
    expect(onTelemetry(first.stream, [batch(11, NOW + 1)], NOW).fresh).toEqual([]);
  });

  it("takes a low seq from another edge and from a new boot", () => {
    const { fresh } = onTelemetry(following(10), [batch(1, NOW + 1, {}, { edge: "edge_4" }), batch(1, NOW + 2, {}, { boot: OTHER_BOOT })], NOW);
    expect(fresh).toHaveLength(2);
  });

  it("goes on with the new boot after a late batch of the old one", () => {
    let stream = onSnapshot(ASKED, [batch(1, NOW + 5, {}, { boot: OTHER_BOOT })], NOW, 0).stream;
    stream = onTelemetry(stream, [batch(99, NOW)], NOW).stream;
    expect(onTelemetry(stream, [batch(2, NOW + 6, {}, { boot: OTHER_BOOT })], NOW).fresh).toHaveLength(1);
  });

  it("keeps only two boots of an edge that restarts for ever", () => {
    let stream = following(1);
    for (let restart = 0; restart < 50; restart += 1) {
      stream = onTelemetry(stream, [batch(1, NOW + restart, {}, { boot: `boot-${restart}` })], NOW).stream;
    }
    expect(Object.keys(stream.boots.edge_3 ?? {})).toHaveLength(2);
  });
});

describe("the seq rule for merged batches", () => {
  it("finds no gap where a run begins at what comes next, however far it reaches", () => {
    const { fresh, hole, stream } = onTelemetry(following(10), [merged(11, 15, NOW + 5_000)], NOW);
    expect(fresh).toHaveLength(1);
    expect(hole).toBeNull();
    expect(onTelemetry(stream, [merged(16, 20, NOW + 10_000)], NOW).hole).toBeNull();
  });

  it("finds no gap where a run begins before the snapshot's seq and reaches beyond it", () => {
    const { fresh, hole } = onTelemetry(following(10), [merged(8, 12, NOW + 2_000)], NOW);
    expect(fresh).toHaveLength(1);
    expect(hole).toBeNull();
  });

  it("ignores a run that ends at or below what was shown", () => {
    expect(onTelemetry(following(10), [merged(8, 10, NOW)], NOW).fresh).toEqual([]);
  });

  it("sees what is missing between two runs of one frame, and between two frames", () => {
    const frame = [merged(11, 12, NOW + 2_000), merged(15, 16, NOW + 6_000)];
    const { hole, stream } = onTelemetry(following(10), frame, NOW);
    expect(hole).toEqual({ from: NOW + 2_000, to: NOW + 6_000 });
    expect(onTelemetry(stream, [merged(18, 19, NOW + 9_000)], NOW).hole).toEqual({ from: NOW + 6_000, to: NOW + 9_000 });
  });

  it("goes on with single batches where the runs ended, and back", () => {
    let { stream, hole } = onTelemetry(following(10), [merged(11, 15, NOW + 5_000)], NOW);
    ({ stream, hole } = onTelemetry(stream, [batch(15, NOW + 5_000), batch(16, NOW + 6_000)], NOW));
    expect(hole).toBeNull();
    expect(onTelemetry(stream, [merged(17, 18, NOW + 8_000)], NOW).hole).toBeNull();
  });
});

describe("what was missed", () => {
  it("is seen where a seq was skipped", () => {
    expect(onTelemetry(following(10), [batch(13, NOW + 3_000)], NOW).hole).toEqual({ from: NOW, to: NOW + 3_000 });
    expect(onTelemetry(following(10), [batch(11, NOW + 1_000)], NOW).hole).toBeNull();
  });

  it("is seen where an edge restarted", () => {
    expect(onTelemetry(following(10), [batch(1, NOW + 8_000, { a: 1 }, { boot: OTHER_BOOT })], NOW).hole).toEqual({ from: NOW, to: NOW + 8_000 });
  });

  it("is told of an edge that was away, however new the samples of another edge are", () => {
    const other = (seq: number, ts: number) => batch(seq, ts, { a: 1 }, { edge: "edge_4" });
    const both = onSnapshot(ASKED, [batch(10, NOW), other(50, NOW)], NOW, 0).stream;
    const away = onTelemetry(both, [other(51, NOW + 300_000)], NOW).stream;
    expect(onTelemetry(away, [batch(310, NOW + 299_900)], NOW).hole).toEqual({ from: NOW, to: NOW + 299_900 });
    const back = onSnapshot(onLoss(away, null), [batch(330, NOW + 320_000), other(71, NOW + 320_000)], NOW, 0);
    expect(back.hole).toEqual({ from: NOW, to: NOW + 320_000 });
  });

  it("ends where a batch without samples was sent", () => {
    expect(onTelemetry(following(10), [batch(20, NOW, {}, { readings: [], sent: NOW + 9_000 })], NOW).hole).toEqual({ from: NOW, to: NOW + 9_000 });
  });

  it("reaches from the last sample before the link broke to the snapshot after", () => {
    const lost = onLoss(following(10), null);
    const { hole, stream } = onSnapshot(lost, [batch(30, NOW + 20_000)], NOW + 20_000, 0);
    expect(hole).toEqual({ from: NOW, to: NOW + 20_000 });
    expect(stream.lostSince).toBeNull();
  });

  it("reaches back as far as the service says", () => {
    const lost = onLoss(onLoss(following(10), NOW - 4_000), NOW - 1_000);
    expect(lost.lostSince).toBe(NOW - 4_000);
  });

  it("is nothing where nothing was known before", () => {
    expect(onLoss(ASKED, null).lostSince).toBeNull();
    expect(onSnapshot(ASKED, [batch(1, NOW)], NOW, 0).hole).toBeNull();
  });
});

describe("patience", () => {
  it("is 8 s, and longer for a pace that is known to be slower", () => {
    expect(patience([])).toBe(8_000);
    expect(patience([1_000, 1_000, 1_000])).toBe(8_000);
    expect(patience([60_000, 60_000])).toBe(8_000);
    expect(patience([60_000, 60_000, 60_000])).toBe(102_000);
  });

  it("is not stretched by one outage", () => {
    expect(patience([1_000, 1_000, 300_000, 1_000, 1_000])).toBe(8_000);
  });
});
