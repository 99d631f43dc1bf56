import { describe, expect, it } from "vitest";
import { pageConnection, siteConnection } from "@/domain/link/connection";
import { connectionSentence } from "@/domain/link/connection-words";
import { intervalFor, SETTLE_MS } from "@/domain/link/interval";
import { batch, merged } from "./batches";
import { Drive, SITE } from "./link-drive";

const DESKTOP = { phone: false, saveData: false, hidden: false };
const subscription = (...sites: string[]) => ({ type: "send", frame: { type: "subscribe", sites, interval: 1_000 } });
const everyBatch = (...sites: string[]) => ({ type: "send", frame: { type: "subscribe", sites } });

/** The service is heard every few seconds, or the link would count as dead. */
function beat(drive: Drive, ms: number) {
  return [...drive.wait(ms), ...drive.hear({ type: "heartbeat", server_time: drive.now, live: true }).effects];
}

describe("how often a page asks for new values", () => {
  it("is with every batch on a desktop, once a second on a phone, with data saver and in a hidden tab", () => {
    expect(intervalFor(DESKTOP)).toBe(0);
    expect(intervalFor({ ...DESKTOP, phone: true })).toBe(1_000);
    expect(intervalFor({ ...DESKTOP, saveData: true })).toBe(1_000);
    expect(intervalFor({ ...DESKTOP, hidden: true })).toBe(1_000);
  });

  it("is said with each subscription", () => {
    const drive = new Drive().tell({ type: "interval", interval: 1_000 }).open();
    expect(drive.effects).toEqual([subscription(SITE)]);
    expect(drive.tell({ type: "watch", sites: [SITE, "site_8"] }).effects).toEqual([subscription("site_8")]);
  });

  it("is said again after the link broke", () => {
    const drive = new Drive().tell({ type: "interval", interval: 1_000 }).open().tell({ type: "closed", code: 1006 });
    drive.wait(1_000);
    expect(drive.tell({ type: "token", token: "t" }).tell({ type: "opened" }).welcome().effects).toEqual([subscription(SITE)]);
  });

  it("is said in words", () => {
    const sentence = (interval: number) => connectionSentence({ status: "live", cause: null, grantStale: false, interval });
    expect(sentence(0)).toBe("Values arrive as they are measured.");
    expect(sentence(1_000)).toMatch(/once a second/);
    expect(sentence(5_000)).toMatch(/every 5 s/);
  });

  it("is known to whoever shows the connection", () => {
    const drive = new Drive().tell({ type: "interval", interval: 1_000 }).follow();
    expect(pageConnection(drive.state, drive.now)?.interval).toBe(1_000);
    expect(siteConnection(drive.state, SITE, drive.now).interval).toBe(1_000);
  });
});

describe("a change of the interval", () => {
  it("to fewer frames waits until it has lasted, then subscribes again, once", () => {
    const drive = new Drive().follow().tell({ type: "interval", interval: 1_000 });
    expect(drive.effects).toEqual([]);
    drive.wait(SETTLE_MS / 2);
    drive.tell({ type: "interval", interval: 1_000 });
    expect(beat(drive, SETTLE_MS / 2 - 500)).toEqual([]);
    expect(beat(drive, 500)).toEqual([subscription(SITE)]);
    expect(beat(drive, SETTLE_MS)).toEqual([]);
  });

  it("to fewer frames comes from a frame as well, because timers of a hidden tab sleep", () => {
    const drive = new Drive().follow().tell({ type: "interval", interval: 1_000 });
    drive.now += SETTLE_MS;
    expect(drive.hear({ type: "telemetry", site: SITE, batches: [batch(11, drive.now)] }).effects).toContainEqual(subscription(SITE));
  });

  it("to fewer frames is forgotten when somebody looks again meanwhile", () => {
    const drive = new Drive().follow().tell({ type: "interval", interval: 1_000 });
    beat(drive, SETTLE_MS / 2);
    expect(drive.tell({ type: "interval", interval: 0 }).effects).toEqual([]);
    expect(beat(drive, SETTLE_MS)).toEqual([]);
  });

  it("to every batch comes at once: somebody looks", () => {
    const drive = new Drive().tell({ type: "interval", interval: 1_000 }).follow();
    expect(drive.tell({ type: "interval", interval: 0 }).effects).toEqual([everyBatch(SITE)]);
  });

  it("leaves out sites that are refused", () => {
    const drive = new Drive().tell({ type: "interval", interval: 1_000 }).follow().tell({ type: "watch", sites: [SITE, "site_8"] });
    drive.hear({ type: "error", code: 404, message: "no such site", site: "site_8" });
    expect(drive.tell({ type: "interval", interval: 0 }).effects).toEqual([everyBatch(SITE)]);
  });

  it("is no gap: the snapshot stands between, and the site stays live", () => {
    const drive = new Drive().tell({ type: "interval", interval: 1_000 }).follow(10);
    drive.hear({ type: "merged", site: SITE, interval: 1_000, batches: [merged(11, 14, drive.now)] });
    expect(drive.wants).toEqual(["data"]);
    drive.tell({ type: "interval", interval: 0 });
    expect(drive.seen).toBe("live");
    drive.hear({ type: "snapshot", site: SITE, batches: [batch(17, drive.now)] });
    expect(drive.wants).toEqual(["data"]);
    drive.hear({ type: "telemetry", site: SITE, batches: [batch(18, drive.now)] });
    expect(drive.wants).toEqual(["data"]);
  });

  it("is kept when the link is stopped: the device is the same", () => {
    const drive = new Drive().tell({ type: "interval", interval: 1_000 }).open().tell({ type: "stopped" });
    expect(drive.open().effects).toEqual([subscription(SITE)]);
  });
});

describe("merged frames", () => {
  it("carry data, and the hole where a run is missing", () => {
    const drive = new Drive().tell({ type: "interval", interval: 1_000 }).follow(10);
    const from = drive.now - 100;
    drive.now += 5_000;
    drive.hear({ type: "merged", site: SITE, interval: 1_000, batches: [merged(13, 14, drive.now)] });
    expect(drive.effects.at(-1)).toEqual({ type: "hole", site: SITE, hole: { from, to: drive.now } });
    expect(drive.seen).toBe("live");
  });

  it("that only repeat the snapshot are ignored", () => {
    const drive = new Drive().tell({ type: "interval", interval: 1_000 }).follow(10);
    expect(drive.hear({ type: "merged", site: SITE, interval: 1_000, batches: [merged(8, 10, drive.now)] }).effects).toEqual([]);
  });
});
