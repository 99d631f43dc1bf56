import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { SurroundingsListener } from "@/application/ports";
import { CloseCode } from "@/domain/contract.gen";
import type { AnyBatch } from "@/domain/link/site-stream";
import { Problem } from "@/domain/problem";
import { browserClock } from "@/infrastructure/browser-clock";
import { LiveSocket, type LiveSocketWiring } from "@/infrastructure/live-socket";
import { followSite } from "../examples/follow-site";
import { batch, merged } from "./batches";

const SITE = "site_7";
const DESKTOP = { phone: false, saveData: false, hidden: false };
const nothing = () => undefined;

/** One connection as the service sees it. */
interface Guest {
  readonly socket: WebSocket;
  readonly protocol: string;
  readonly said: unknown[];
  say(frame: object): void;
}

let server: WebSocketServer;
let guests: Guest[];
let data: AnyBatch[];
let place: SurroundingsListener | null;
let link: LiveSocket;

function linkTo(port: number, more: Partial<LiveSocketWiring> = {}): LiveSocket {
  return new LiveSocket({
    url: `ws://127.0.0.1:${port}/ws`,
    clock: { ...browserClock, random: () => 0 },
    surroundings: {
      watch: (listener) => {
        place = listener;
        return () => {
          place = null;
        };
      },
    },
    token: () => Promise.resolve("a-token"),
    onData: (_, batches) => {
      data.push(...batches);
    },
    onHole: nothing, onPending: nothing, onCommand: nothing, onControl: nothing, onAccessChanged: nothing, onRevoked: nothing,
    ...more,
  });
}

async function guest(number: number): Promise<Guest> {
  return vi.waitFor(() => {
    const found = guests[number - 1];
    if (!found) throw new Error(`guest ${number} has not come`);
    return found;
  }, 5_000);
}

async function hears(from: Guest, ...frames: object[]): Promise<void> {
  await vi.waitFor(() => {
    expect(from.said).toEqual(frames);
  }, 5_000);
}

const welcome = () => ({ type: "welcome", session: "s", server_time: Date.now(), expires: Date.now() + 300_000, heartbeat: 5_000, sites: [] });
const AUTH = { type: "auth", token: "a-token" };

beforeEach(async () => {
  vi.stubGlobal("WebSocket", WebSocket);
  [guests, data, place] = [[], [], null];
  server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => {
    const said: unknown[] = [];
    socket.on("message", (text: Buffer) => said.push(JSON.parse(text.toString())));
    guests.push({
      socket, said, protocol: socket.protocol,
      say: (frame) => {
        socket.send(JSON.stringify(frame));
      },
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  link = linkTo((server.address() as AddressInfo).port);
});

afterEach(async () => {
  link.stop();
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  vi.unstubAllGlobals();
});

describe("the live socket", () => {
  it("speaks first of its token, then of its sites, and hands over what it hears", async () => {
    link.watch([SITE]);
    const service = await guest(1);
    expect(service.protocol).toBe("ems.v1");
    await hears(service, AUTH);
    service.say(welcome());
    await hears(service, AUTH, { type: "subscribe", sites: [SITE] });
    const [first, second] = [batch(1, Date.now()), batch(2, Date.now())];
    service.say({ type: "snapshot", site: SITE, batches: [first] });
    service.say({ type: "telemetry", site: SITE, batches: [first, second] });
    await vi.waitFor(() => {
      expect(data).toEqual([first, second]);
    });
    expect(link.site(SITE)).toMatchObject({ status: "live", interval: 0 });
  });

  it("asks for merged frames where it is told to be on a phone, and for every batch where it no longer is", async () => {
    link.watch([SITE]);
    place?.circumstances({ ...DESKTOP, phone: true });
    const service = await guest(1);
    await hears(service, AUTH);
    service.say(welcome());
    const once = { type: "subscribe", sites: [SITE], interval: 1_000 };
    await hears(service, AUTH, once);
    const run = merged(3, 8, Date.now());
    service.say({ type: "merged", site: SITE, interval: 1_000, batches: [run] });
    await vi.waitFor(() => {
      expect(data).toEqual([run]);
    });
    place?.circumstances(DESKTOP);
    await hears(service, AUTH, once, { type: "subscribe", sites: [SITE] });
  });

  it("comes back after the service has restarted", async () => {
    link.watch([SITE]);
    (await guest(1)).socket.close(CloseCode.SERVICE_RESTART);
    const service = await guest(2);
    await hears(service, AUTH);
    service.say(welcome());
    await hears(service, AUTH, { type: "subscribe", sites: [SITE] });
  });

  it("closes its socket and leaves nothing behind when it is stopped", async () => {
    link.watch([SITE]);
    const { socket } = await guest(1);
    link.stop();
    await vi.waitFor(() => {
      expect(socket.readyState).toBe(WebSocket.CLOSED);
    });
    expect(place).toBeNull();
    expect(link.page()).toBeNull();
  });

  it("is some lines in a program of one's own, as the example has it", async () => {
    const told: unknown[] = [];
    const { port } = server.address() as AddressInfo;
    const end = followSite(`ws://127.0.0.1:${port}/ws`, SITE, () => Promise.resolve("a-token"), {
      sample: (point, ts, value) => told.push([point, ts, value]),
      missed: (from, to) => told.push(["missed", from, to]),
    });
    const service = await guest(1);
    await hears(service, AUTH);
    service.say(welcome());
    const now = Date.now();
    service.say({ type: "snapshot", site: SITE, batches: [batch(1, now, { "a.b": 1 })] });
    service.say({ type: "telemetry", site: SITE, batches: [batch(3, now + 2_000, { "a.b": null })] });
    await vi.waitFor(() => {
      expect(told).toEqual([["a.b", now, 1], ["a.b", now + 2_000, null], ["missed", now, now + 2_000]]);
    });
    end();
  });

  it("does not connect without a token", async () => {
    const signedOut = linkTo((server.address() as AddressInfo).port, { token: () => Promise.reject(new Problem("signed_out")) });
    signedOut.watch([SITE]);
    await vi.waitFor(() => {
      expect(signedOut.page()).toMatchObject({ status: "offline", cause: "signed_out" });
    });
    expect(guests).toEqual([]);
    signedOut.stop();
  });
});
