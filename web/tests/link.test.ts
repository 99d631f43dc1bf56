import { describe, expect, it } from "vitest";
import { pageConnection, siteConnection } from "@/domain/link/connection";
import { batch } from "./batches";
import { Drive, SITE, START } from "./link-drive";

describe("opening the link", () => {
  it("asks for a token, connects, authenticates with its first message, then subscribes", () => {
    const drive = new Drive();
    expect(drive.tell({ type: "watch", sites: [SITE] }).wants).toEqual(["need_token"]);
    expect(drive.tell({ type: "token", token: "t" }).wants).toEqual(["connect"]);
    expect(drive.tell({ type: "opened" }).effects).toEqual([{ type: "send", frame: { type: "auth", token: "t" } }]);
    expect(drive.welcome().effects).toEqual([{ type: "send", frame: { type: "subscribe", sites: [SITE] } }]);
    expect(drive.state.token).toBeNull();
  });

  it("does not open while nobody watches", () => {
    const drive = new Drive().tell({ type: "watch", sites: [] });
    expect(drive.wants).toEqual([]);
    expect(pageConnection(drive.state, drive.now)).toBeNull();
  });

  it("subscribes and unsubscribes only what changed", () => {
    const drive = new Drive().open().tell({ type: "watch", sites: ["site_8"] });
    expect(drive.effects).toEqual([
      { type: "send", frame: { type: "unsubscribe", sites: [SITE] } },
      { type: "send", frame: { type: "subscribe", sites: ["site_8"] } },
    ]);
  });

  it("asks for many sites in frames that the service reads", () => {
    const sites = Array.from({ length: 250 }, (_, index) => `site_${index + 10}`);
    const drive = new Drive().open().tell({ type: "watch", sites });
    expect(drive.wants).toEqual(["unsubscribe", "subscribe", "subscribe", "subscribe"]);
  });

  it("asks again for a site that was one too many when another one is let go", () => {
    const drive = new Drive().follow().tell({ type: "watch", sites: [SITE, "site_8"] });
    drive.hear({ type: "error", code: 429, message: "at most 1 site in one session" });
    expect(siteConnection(drive.state, "site_8", drive.now)).toMatchObject({ status: "offline", cause: "crowded" });
    expect(drive.seen).toBe("live");
    expect(drive.tell({ type: "watch", sites: ["site_8"] }).wants).toEqual(["unsubscribe", "subscribe"]);
    expect(siteConnection(drive.state, "site_8", drive.now).status).toBe("reconnecting");
  });

  it("gives up a handshake that takes too long and tries again", () => {
    const drive = new Drive().tell({ type: "watch", sites: [SITE] }).tell({ type: "token", token: "t" });
    const wanted = drive.wait(25_000).map((effect) => effect.type);
    expect(wanted.slice(0, 2)).toEqual(["disconnect", "need_token"]);
  });
});

describe("what is shown", () => {
  it("is live while data comes", () => {
    const drive = new Drive().follow();
    expect(drive.seen).toBe("live");
  });

  it("is stale within 10 s of silence, and live again with the next frame", () => {
    const drive = new Drive().follow();
    drive.wait(7_500);
    expect(drive.seen).toBe("live");
    drive.wait(1_500);
    expect(drive.seen).toBe("stale");
    drive.hear({ type: "telemetry", site: SITE, batches: [batch(11, drive.now)] });
    expect(drive.seen).toBe("live");
  });

  it("is stale within 10 s when only heartbeats come, which say the service is well but not the site", () => {
    const drive = new Drive().follow();
    for (let beat = 0; beat < 2; beat += 1) {
      drive.wait(4_800);
      drive.hear({ type: "heartbeat", server_time: drive.now, live: true });
    }
    expect(siteConnection(drive.state, SITE, drive.now)).toMatchObject({ status: "stale", cause: "data_stopped" });
  });

  it("is stale at once when the service says that it hears nothing", () => {
    const drive = new Drive().follow().hear({ type: "heartbeat", server_time: START, live: false });
    expect(siteConnection(drive.state, SITE, drive.now)).toMatchObject({ status: "stale", cause: "source_lost" });
  });

  it("is patient with a site whose edge is slow", () => {
    const drive = new Drive().follow();
    for (let seq = 11; seq < 16; seq += 1) {
      for (let beat = 0; beat < 5; beat += 1) {
        drive.now += 4_000;
        drive.hear({ type: "heartbeat", server_time: drive.now, live: true });
      }
      drive.hear({ type: "telemetry", site: SITE, batches: [batch(seq, drive.now)] });
    }
    for (let beat = 0; beat < 5; beat += 1) {
      drive.now += 4_000;
      drive.hear({ type: "heartbeat", server_time: drive.now, live: true });
    }
    expect(drive.seen).toBe("live");
  });

  it("is stale for a snapshot of a site that went quiet long ago", () => {
    const drive = new Drive().open();
    drive.hear({ type: "snapshot", site: SITE, batches: [batch(10, drive.now - 3_600_000)] });
    expect(siteConnection(drive.state, SITE, drive.now)).toMatchObject({ status: "stale", cause: "data_stopped" });
  });

  it("says so where a site never sent anything", () => {
    const drive = new Drive().open().hear({ type: "snapshot", site: SITE, batches: [] });
    expect(siteConnection(drive.state, SITE, drive.now).cause).toBe("no_data");
  });

  it("is offline without a network, but not while the link is open all the same", () => {
    const drive = new Drive().follow().tell({ type: "online", online: false });
    expect(drive.seen).toBe("live");
    drive.tell({ type: "closed", code: 1006 });
    expect(siteConnection(drive.state, SITE, drive.now)).toMatchObject({ status: "offline", cause: "no_network" });
    expect(drive.tell({ type: "online", online: true }).wants).toEqual(["need_token"]);
  });

  it("speaks for the page when any of its sites is live", () => {
    const drive = new Drive().follow().tell({ type: "watch", sites: [SITE, "site_8"] });
    drive.hear({ type: "error", code: 404, message: "No such site", site: "site_8" });
    expect(siteConnection(drive.state, "site_8", drive.now)).toMatchObject({ status: "offline", cause: "refused" });
    expect(pageConnection(drive.state, drive.now)?.status).toBe("live");
  });
});
