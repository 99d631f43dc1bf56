import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { forward } from "@/infrastructure/server/forward";
import { readiness } from "@/infrastructure/server/readiness";

interface Seen {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let server: Server;
let backend: string;
let seen: Seen[];

/** A real server in the backend's place: it notes what arrives and answers as a backend might. */
beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push({ url: request.url ?? "", method: request.method ?? "", headers: request.headers, body });
      response.setHeader("Set-Cookie", ["ems_refresh=abc; HttpOnly; Path=/api/auth; SameSite=Strict", "other=1"]);
      response.setHeader("Content-Type", "application/problem+json");
      response.statusCode = request.url === "/api/moved" ? 302 : 418;
      if (response.statusCode === 302) response.setHeader("Location", "/api/there");
      response.end('{"status":418}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  backend = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

async function stop(): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

afterEach(stop);

describe("a request to /api", () => {
  it("reaches the backend as it is", async () => {
    const answer = await forward(
      new Request("http://web:3000/api/auth/login?next=%2Fx&a=1", {
        method: "POST",
        body: '{"email":"a"}',
        headers: { Authorization: "Bearer t", Cookie: "ems_refresh=old", "X-Request-ID": "req-1", "X-Forwarded-For": "10.0.0.9", Connection: "keep-alive", Host: "web:3000" },
      }),
      backend,
    );
    expect(answer.status).toBe(418);
    expect(seen[0]).toMatchObject({ url: "/api/auth/login?next=%2Fx&a=1", method: "POST", body: '{"email":"a"}' });
    expect(seen[0]?.headers).toMatchObject({ authorization: "Bearer t", cookie: "ems_refresh=old", "x-request-id": "req-1", "x-forwarded-for": "10.0.0.9" });
  });

  it("is answered with the backend's status, body and every cookie", async () => {
    const answer = await forward(new Request("http://web:3000/api/x"), backend);
    expect(await answer.json()).toEqual({ status: 418 });
    expect(answer.headers.getSetCookie()).toHaveLength(2);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it("gets a request id, and one that could forge a log line is not taken", async () => {
    const answer = await forward(new Request("http://web:3000/api/x", { headers: { "X-Request-ID": 'a" evil="1' } }), backend);
    expect(seen[0]?.headers["x-request-id"]).toMatch(/^[\w-]{36}$/);
    expect(answer.headers.get("x-request-id")).toBe(seen[0]?.headers["x-request-id"]);
  });

  it("is not redirected on the server: the browser decides", async () => {
    const answer = await forward(new Request("http://web:3000/api/moved"), backend);
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/api/there"]);
  });

  it("that climbs out of /api goes nowhere", async () => {
    for (const path of ["/api/../admin/", "/api/%2e%2e/admin/", "/metrics"]) {
      expect((await forward(new Request(`http://web:3000${path}`), backend)).status).toBe(404);
    }
    expect(seen).toEqual([]);
  });

  it("is a 502 with words when the backend is away", async () => {
    await stop();
    const answer = await forward(new Request("http://web:3000/api/x"), backend);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ status: 502, detail: expect.stringContaining("cannot reach the backend") as string });
    expect(answer.headers.get("x-request-id")).toBeTruthy();
  });
});

describe("readiness", () => {
  it("names what is missing", async () => {
    expect(await readiness(backend)).toEqual({ ready: false, checks: { backend: "answered 418" } });
    await stop();
    const away = await readiness(backend);
    expect(away.ready).toBe(false);
    expect(away.checks.backend).toMatch(/cannot be reached/);
  });
});
