import { describe, expect, it } from "vitest";
import { CloseCode } from "@/domain/contract.gen";
import { retryDelay } from "@/domain/link/backoff";
import { siteConnection } from "@/domain/link/connection";
import type { LinkEffect } from "@/domain/link/state";
import { Drive, SITE, START } from "./link-drive";

describe("losing the link", () => {
  it.each([
    [CloseCode.SERVICE_RESTART, 5_000],
    [CloseCode.TRY_AGAIN_LATER, 5_000],
    [CloseCode.AUTH_TIMEOUT, 250],
    [CloseCode.TOO_SLOW, 250],
    [CloseCode.TOO_MANY, 5_000],
    [1006, 250],
    [1001, 250],
  ])("by code %d is followed by an attempt after a random wait", (code, ms) => {
    const drive = new Drive().follow().tell({ type: "closed", code });
    expect(drive.state.phase).toBe("waiting");
    expect(drive.state.retryAt - drive.now).toBe(ms);
    expect(drive.seen).toBe("reconnecting");
    expect(drive.wait(ms + 500).map((effect) => effect.type)).toEqual(["need_token"]);
  });

  it.each([[CloseCode.BAD_MESSAGE, "bad_message"], [CloseCode.FORBIDDEN, "forbidden"], [CloseCode.GRANT_REVOKED, "revoked"]])("by code %d is final", (code, cause) => {
    const drive = new Drive().follow().tell({ type: "closed", code });
    const ended = drive.wants;
    expect(drive.wait(600_000)).toEqual([]);
    expect(siteConnection(drive.state, SITE, drive.now)).toMatchObject({ status: "offline", cause });
    expect(ended).toEqual(code === CloseCode.GRANT_REVOKED ? ["session_ended"] : []);
  });

  it("by a refused token fetches a fresh one first, and ends after the third refusal", () => {
    const drive = new Drive().open();
    for (let refusal = 1; refusal <= 2; refusal += 1) {
      drive.tell({ type: "closed", code: CloseCode.UNAUTHENTICATED });
      expect(drive.wait(10_500)).toContainEqual(expect.objectContaining({ type: "need_token", renew: true }));
      drive.tell({ type: "token", token: "fresh" }).tell({ type: "opened" });
    }
    expect(drive.tell({ type: "closed", code: CloseCode.UNAUTHENTICATED }).wants).toEqual(["session_ended"]);
  });

  it("is noticed where the socket says nothing: a dead one is dropped", () => {
    const drive = new Drive().follow();
    expect(drive.wait(16_000).map((effect) => effect.type)).toEqual(["disconnect", "need_token"]);
  });

  it("gives up on an address that does not answer sooner than on a service that has much to check", () => {
    const drive = new Drive().tell({ type: "watch", sites: [SITE] }).tell({ type: "token", token: "t" });
    expect(drive.wait(10_500).map((effect) => effect.type)).toContain("disconnect");
    drive.wait(1_000);
    drive.tell({ type: "token", token: "t" }).tell({ type: "opened" });
    expect(drive.wait(35_000)).toEqual([]);
    expect(drive.wait(500).map((effect) => effect.type)).toEqual(["disconnect"]);
  });

  it("waits longer when the link does not hold", () => {
    const drive = new Drive().open().tell({ type: "closed", code: 1006 });
    drive.wait(1_000);
    drive.tell({ type: "token", token: "t" }).tell({ type: "opened" }).welcome().tell({ type: "closed", code: 1006 });
    expect(drive.state.retryAt - drive.now).toBe(5_000);
  });

  it("is answered at once when the page is looked at again", () => {
    const drive = new Drive().open().tell({ type: "closed", code: CloseCode.SERVICE_RESTART });
    expect(drive.tell({ type: "woken" }).wants).toEqual(["need_token"]);
  });

  it("ends with the session", () => {
    const drive = new Drive().tell({ type: "watch", sites: [SITE] }).tell({ type: "no_token", reason: "signed_out" });
    expect(drive.state.end).toBe("signed_out");
  });

  it("keeps trying while the session cannot be renewed", () => {
    const drive = new Drive().tell({ type: "watch", sites: [SITE] }).tell({ type: "no_token", reason: "unreachable" });
    expect(drive.wait(11_000).map((effect) => effect.type)).toEqual(["need_token"]);
  });
});

describe("a wait before the next attempt", () => {
  it("is full jitter: anything from nothing to its longest", () => {
    expect(retryDelay("jitter", 0, 0)).toBe(0);
    expect(retryDelay("jitter", 5, 0.999)).toBeLessThan(10_000);
    expect(retryDelay("quick", 0, 0.999)).toBeLessThan(500);
    expect(retryDelay("quick", 1, 0.5)).toBe(5_000);
    expect(retryDelay("backoff", 2, 0.5)).toBe(20_000);
    expect(retryDelay("backoff", 50, 0.999)).toBeLessThan(120_000);
  });
});

describe("staying authenticated", () => {
  it("sends a fresh token before the old one ends, over the open socket", () => {
    const drive = new Drive().open();
    const beats = (ms: number) => {
      const wanted: LinkEffect[] = [];
      for (let at = 0; at < ms; at += 4_000) {
        wanted.push(...drive.wait(4_000));
        wanted.push(...drive.hear({ type: "heartbeat", server_time: drive.now, live: true }).effects);
      }
      return wanted.map((effect) => effect.type);
    };
    expect(beats(196_000)).toEqual([]);
    expect(beats(8_000)).toContain("need_token");
    expect(drive.tell({ type: "token", token: "second" }).effects).toEqual([{ type: "send", frame: { type: "auth", token: "second" } }]);
    drive.hear({ type: "grant", expires: drive.now + 300_000, stale: false, sites: [] });
    expect(beats(160_000)).toEqual([]);
  });

  it("does so from a frame as well, because timers of a hidden tab sleep", () => {
    const drive = new Drive().open();
    drive.now += 200_000;
    expect(drive.hear({ type: "heartbeat", server_time: drive.now, live: true }).wants).toEqual(["need_token"]);
  });

  it("shows that the grant could not be checked", () => {
    const drive = new Drive().follow().hear({ type: "grant", expires: START + 300_000, stale: true, sites: [{ site: SITE, name: "", organization: 1, role: "", actions: [] }] });
    expect(siteConnection(drive.state, SITE, drive.now)).toMatchObject({ status: "live", grantStale: true });
  });

  it("does not take a mere renewal for a change", () => {
    const sites = [{ site: SITE, name: "", organization: 1, role: "viewer", actions: ["view"] }];
    const grant = { type: "grant", expires: START + 300_000, stale: false, sites };
    const drive = new Drive().follow().hear(grant);
    expect(drive.hear(grant).wants).toEqual([]);
    expect(drive.hear({ ...grant, sites: sites.map((site) => ({ ...site, actions: ["view", "control_devices"] })) }).wants).toEqual(["access_changed"]);
  });

  it("loses a site that left the grant, and asks for it when it returns", () => {
    const drive = new Drive().follow().hear({ type: "grant", expires: START + 300_000, stale: false, sites: [] });
    expect(drive.seen).toBe("offline");
    drive.hear({ type: "grant", expires: START + 300_000, stale: false, sites: [{ site: SITE, name: "", organization: 1, role: "", actions: [] }] });
    expect(drive.wants).toEqual(["access_changed", "subscribe"]);
  });
});
