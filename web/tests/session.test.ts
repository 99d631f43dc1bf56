import { beforeEach, describe, expect, it } from "vitest";
import type { SessionGateway, SessionGrant } from "@/application/people-ports";
import type { Tabs } from "@/application/ports";
import { Session } from "@/application/session";
import { Problem } from "@/domain/problem";
import { bodyOf, sessionClient } from "@/infrastructure/client";
import { ManualClock, settled } from "./manual-clock";

const USER = { id: 1, email: "ada@nordwerk.example", name: "Ada", platformAdmin: false, developer: false, twoFactor: false };
const LIFE = 600_000;

let clock: ManualClock;
let server: Server;
let tabs: OneTab;
let session: Session;

/** Answers at once unless it was told to hold; counts what it was asked. */
class Server implements SessionGateway {
  refreshes = 0;
  refusal: Problem | null = null;
  hold: Promise<void> = Promise.resolve();

  signIn(): Promise<SessionGrant> {
    return Promise.resolve(this.grant("signed-in"));
  }

  async refresh(): Promise<SessionGrant> {
    this.refreshes += 1;
    const mine = this.refreshes;
    await this.hold;
    if (this.refusal) throw this.refusal;
    return this.grant(`refreshed-${mine}`);
  }

  signOut(): Promise<void> {
    return Promise.resolve();
  }

  async changePassword(): Promise<SessionGrant> {
    await this.hold;
    return this.grant("changed");
  }

  private grant(access: string): SessionGrant {
    return { access, expires: clock.now() + LIFE, user: USER };
  }
}

class OneTab implements Tabs {
  announced = 0;
  private listener: () => void = () => undefined;

  exclusively<T>(task: () => Promise<T>): Promise<T> {
    return task();
  }

  announceSignOut(): void {
    this.announced += 1;
  }

  onSignOut(listener: () => void): void {
    this.listener = listener;
  }

  otherTabSignsOut(): void {
    this.listener();
  }
}

beforeEach(() => {
  clock = new ManualClock();
  server = new Server();
  tabs = new OneTab();
  session = new Session(server, tabs, clock);
});

describe("a session", () => {
  it("is restored from the cookie at load", async () => {
    await session.restore();
    expect(session.state()).toEqual({ status: "signed_in", user: USER });
    expect(await session.token()).toBe("refreshed-1");
  });

  it("is signed out, without a reason, where there is no cookie", async () => {
    server.refusal = new Problem("signed_out");
    await session.restore();
    expect(session.state()).toEqual({ status: "signed_out", reason: null });
  });

  it("asks once, however many wait for a token", async () => {
    const tokens = await Promise.all([session.token(), session.token(), session.restore().then(() => session.token())]);
    expect(new Set(tokens)).toEqual(new Set(["refreshed-1"]));
    expect(server.refreshes).toBe(1);
  });

  it("renews its token a minute before it ends", async () => {
    await session.signIn("a", "b");
    await clock.pass(LIFE - 60_001);
    expect(server.refreshes).toBe(0);
    await clock.pass(1);
    expect(server.refreshes).toBe(1);
    expect(await session.token()).toBe("refreshed-1");
  });

  it("gives a token that lives as long as asked for", async () => {
    await session.signIn("a", "b");
    await clock.pass(LIFE - 120_000);
    expect(await session.token(100_000)).toBe("signed-in");
    expect(await session.token(180_000)).toBe("refreshed-1");
  });

  it("is expired when the server refuses to renew it", async () => {
    await session.signIn("a", "b");
    server.refusal = new Problem("signed_out");
    await clock.pass(LIFE);
    expect(session.state()).toEqual({ status: "signed_out", reason: "expired" });
    await expect(session.token()).rejects.toMatchObject({ kind: "signed_out" });
  });

  it("survives a server that is away for a while", async () => {
    await session.signIn("a", "b");
    server.refusal = new Problem("unavailable");
    await clock.pass(LIFE);
    expect(session.state().status).toBe("signed_in");
    server.refusal = null;
    await clock.pass(5_000);
    expect(await session.token()).toMatch(/^refreshed/);
  });

  it("says so when nobody answers at load, and keeps asking", async () => {
    server.refusal = new Problem("unreachable");
    await session.restore();
    expect(session.state().status).toBe("unreachable");
    server.refusal = null;
    await clock.pass(5_000);
    expect(session.state().status).toBe("signed_in");
  });

  it("ends in every tab", async () => {
    await session.signIn("a", "b");
    await session.signOut();
    expect(session.state()).toEqual({ status: "signed_out", reason: "left" });
    expect(tabs.announced).toBe(1);
    await session.signIn("a", "b");
    tabs.otherTabSignsOut();
    expect(session.state().status).toBe("signed_out");
  });

  it("stays ended when an answer was still under way", async () => {
    await session.signIn("a", "b");
    let release: () => void = () => undefined;
    server.hold = new Promise((resolve) => {
      release = resolve;
    });
    const waiting = session.token(LIFE + 1);
    await settled();
    await session.signOut();
    release();
    await expect(waiting).rejects.toMatchObject({ kind: "signed_out" });
    expect(session.state().status).toBe("signed_out");
  });
});

describe("a changed password", () => {
  it("goes on with the new grant, although the live service calls the old one ended meanwhile", async () => {
    await session.signIn("a", "b");
    let answer: () => void = () => undefined;
    server.hold = new Promise((resolve) => {
      answer = resolve;
    });
    const changed = session.changePassword("b", "c");
    await settled();
    const confirmed = session.confirm();
    await settled();
    expect(server.refreshes).toBe(0);
    answer();
    await changed;
    expect(await confirmed).toBe(true);
    expect(session.state().status).toBe("signed_in");
  });

  it("that is refused changes nothing", async () => {
    await session.signIn("a", "b");
    server.hold = Promise.reject(new Problem("invalid", null, [{ field: "current", message: "This is not it." }]));
    await expect(session.changePassword("x", "c")).rejects.toMatchObject({ kind: "invalid" });
    expect(await session.token()).toBe("signed-in");
  });
});

describe("access that the live service calls ended", () => {
  it("is a session that goes on, where the backend renews it", async () => {
    await session.signIn("a", "b");
    expect(await session.confirm()).toBe(true);
    expect(session.state().status).toBe("signed_in");
  });

  it("is the end of the session, where the backend refuses", async () => {
    await session.signIn("a", "b");
    server.refusal = new Problem("signed_out");
    expect(await session.confirm()).toBe(false);
    expect(session.state()).toEqual({ status: "signed_out", reason: "revoked" });
  });

  it("is no end while the backend cannot be asked", async () => {
    await session.signIn("a", "b");
    server.refusal = new Problem("unreachable");
    expect(await session.confirm()).toBe(true);
    expect(session.state().status).toBe("signed_in");
  });
});

describe("a refused token", () => {
  it("is replaced once for all who were refused", async () => {
    await session.signIn("a", "b");
    const again = await Promise.all([session.tokenAfter("signed-in"), session.tokenAfter("signed-in")]);
    expect(again).toEqual(["refreshed-1", "refreshed-1"]);
    expect(await session.tokenAfter("signed-in")).toBe("refreshed-1");
    expect(server.refreshes).toBe(1);
  });

  it("makes a request be repeated once, and only once", async () => {
    await session.signIn("a", "b");
    const sent: string[] = [];
    const original = globalThis.fetch;
    const ask = () => bodyOf(sessionClient(session).GET("/api/sites"));
    globalThis.fetch = (request) => {
      const token = (request as Request).headers.get("authorization") ?? "";
      sent.push(token);
      return Promise.resolve(token.endsWith("signed-in") ? new Response("{}", { status: 401 }) : Response.json({ fine: true }));
    };
    try {
      expect(await ask()).toEqual({ fine: true });
      expect(sent).toEqual(["Bearer signed-in", "Bearer refreshed-1"]);
      globalThis.fetch = () => {
        sent.push("again");
        return Promise.resolve(new Response("{}", { status: 401 }));
      };
      await expect(ask()).rejects.toMatchObject({ kind: "signed_out" });
      expect(sent).toHaveLength(4);
    } finally {
      globalThis.fetch = original;
    }
  });
});
