import { afterEach, describe, expect, it } from "vitest";
import { bodyOf, everyPage, openClient } from "@/infrastructure/client";

const original = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = original;
});

/** Answers each request by its address, and notes what was asked. */
function serve(answer: (url: URL) => Response): string[] {
  const asked: string[] = [];
  globalThis.fetch = (request) => {
    const url = new URL((request as Request).url);
    asked.push(url.pathname + url.search);
    return Promise.resolve(answer(url));
  };
  return asked;
}

describe("a call to the API", () => {
  it("puts parameters where the description says", async () => {
    const asked = serve(() => Response.json({ results: [], next: null }));
    await openClient().GET("/api/edges", { params: { query: { site: 7, page: 2 } } });
    await openClient().DELETE("/api/edges/{id}", { params: { path: { id: 3 } } });
    expect(asked).toEqual(["/api/edges?site=7&page=2", "/api/edges/3"]);
  });

  it("that is refused says what, where and by which name", async () => {
    const problem = { type: "urn:ems:problem:last_admin", detail: "Make another one first.", errors: [{ field: "role", message: "No." }] };
    serve(() => Response.json(problem, { status: 409, headers: { "X-Request-ID": "r-1" } }));
    await expect(openClient().GET("/api/sites")).rejects.toMatchObject({
      kind: "conflict", code: "last_admin", detail: "Make another one first.", fields: problem.errors, requestId: "r-1",
    });
  });

  it("that reaches nobody is not the server's fault", async () => {
    globalThis.fetch = () => Promise.reject(new TypeError("fetch failed"));
    await expect(openClient().GET("/api/sites")).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("whose answer is no JSON, or nothing, is a failure of the server", async () => {
    serve(() => new Response("<html>", { headers: { "Content-Type": "application/json" } }));
    await expect(bodyOf(openClient().GET("/api/sites"))).rejects.toMatchObject({ kind: "failed" });
    serve(() => new Response(null, { status: 204 }));
    await expect(bodyOf(openClient().GET("/api/sites"))).rejects.toMatchObject({ kind: "failed" });
  });
});

describe("a list", () => {
  it("is fetched to its last page, wherever the answer says that the next one is", async () => {
    const asked = serve((url) => {
      const page = Number(url.searchParams.get("page"));
      return Response.json({ count: 3, results: [page], next: page < 3 ? "http://backend:8000/api/sites?page=9" : null });
    });
    const client = openClient();
    expect(await everyPage((query) => client.GET("/api/sites", { params: { query } }))).toEqual([1, 2, 3]);
    expect(asked).toHaveLength(3);
  });

  it("that is none is a failure of the server", async () => {
    serve(() => Response.json({ results: "many" }));
    const client = openClient();
    await expect(everyPage((query) => client.GET("/api/sites", { params: { query } }))).rejects.toMatchObject({ kind: "failed" });
  });
});
