import { createServer, get, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appendPeers, withPeer } from "@/infrastructure/server/client-address";

describe("the chain of addresses", () => {
  it("ends with the peer, whatever the client wrote before it", () => {
    expect(withPeer(undefined, "203.0.113.7")).toBe("203.0.113.7");
    expect(withPeer("198.51.100.1", "203.0.113.7")).toBe("198.51.100.1, 203.0.113.7");
    expect(withPeer(["198.51.100.1", "10.0.0.1"], "203.0.113.7")).toBe("198.51.100.1, 10.0.0.1, 203.0.113.7");
  });

  it("never ends with the client's own words, not even when the connection is gone", () => {
    expect(withPeer("198.51.100.1", undefined)).toBe("198.51.100.1, unknown");
  });
});

describe("a server in this process", () => {
  let server: Server;
  let seen: (string | string[] | undefined)[];

  beforeAll(async () => {
    appendPeers();
    appendPeers(); // as after a reload
    server = createServer((request, response) => {
      seen.push(request.headers["x-forwarded-for"]);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  function ask(headers: Record<string, string | string[]>): Promise<void> {
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      get({ port, host: "127.0.0.1", headers, agent: false }, (answer) => answer.resume().on("end", resolve)).on("error", reject);
    });
  }

  it("sees the peer at the end of every request's chain, once", async () => {
    seen = [];
    await ask({});
    await ask({ "X-Forwarded-For": "198.51.100.1" });
    await ask({ "x-forwarded-for": ["198.51.100.1", "198.51.100.2"] });
    expect(seen).toEqual(["127.0.0.1", "198.51.100.1, 127.0.0.1", "198.51.100.1, 198.51.100.2, 127.0.0.1"]);
  });
});
