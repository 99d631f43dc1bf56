import { describe, expect, it } from "vitest";
import { publicUrl } from "@/domain/public-url";
import { rangeOf } from "@/domain/ranges";
import { safeNext } from "@/domain/safe-next";
import { byOrganization, siteIdOf, type Site } from "@/domain/site";
import { readEnvironment } from "@/infrastructure/server/environment";
import { contentSecurityPolicy } from "@/infrastructure/server/security-headers";
import { placeOf } from "@/presentation/frame/route";

describe("where to go after signing in", () => {
  it.each([["/sites/7?x=1", "/sites/7?x=1"], [null, "/"], ["https://evil.example", "/"], ["//evil.example", "/"], ["/\\evil.example", "/"], ["javascript:alert(1)", "/"], ["/login?next=/login", "/"]])("%s is %s", (wanted, path) => {
    expect(safeNext(wanted)).toBe(path);
  });
});

describe("the address of a service on localhost", () => {
  it.each([
    ["ws://localhost:8001/ws", "192.168.1.20:3000", "ws://192.168.1.20:8001/ws"],
    ["ws://127.0.0.1:8001/ws", "plant-pc:3000", "ws://plant-pc:8001/ws"],
    ["ws://localhost:8001/ws", "localhost:3000", "ws://localhost:8001/ws"],
    ["ws://localhost:8001/ws", "127.0.0.1:3000", "ws://localhost:8001/ws"],
    ["wss://live.ems.example/ws", "192.168.1.20:3000", "wss://live.ems.example/ws"],
    ["ws://localhost:8001/ws", null, "ws://localhost:8001/ws"],
    ["ws://localhost:8001/ws", "not a host", "ws://localhost:8001/ws"],
  ])("%s, for a page opened at %s, is %s", (configured, host, expected) => {
    expect(publicUrl(configured, host)).toBe(expected);
  });
});

describe("the environment of the web server", () => {
  it("has defaults for development", () => {
    expect(readEnvironment({})).toEqual({ EMS_BACKEND_URL: "http://localhost:8000", EMS_WS_URL: "ws://localhost:8001/ws" });
    expect(readEnvironment({ EMS_BACKEND_URL: "" }).EMS_BACKEND_URL).toBe("http://localhost:8000");
  });

  it("is refused with the variable's name and an example", () => {
    expect(() => readEnvironment({ EMS_WS_URL: "http://x" })).toThrow(/EMS_WS_URL="http:\/\/x" .* ws:\/\/localhost:8001\/ws/);
  });
});

describe("the content security policy", () => {
  const policy = contentSecurityPolicy("abc", "wss://live.ems.example/ws", false);

  it("runs only scripts with the answer's nonce", () => {
    expect(policy).toContain("script-src 'self' 'nonce-abc' 'strict-dynamic';");
    expect(policy).not.toContain("unsafe-eval");
  });

  it("connects to this server and the live service, and is framed by no one", () => {
    expect(policy).toContain("connect-src 'self' wss://live.ems.example;");
    expect(policy).toContain("frame-ancestors 'none'");
  });
});

describe("an address of the page", () => {
  it("says which site or organization and which page it is", () => {
    const nothing = { siteId: null, organizationId: null };
    expect(placeOf("/")).toEqual({ ...nothing, page: "overview" });
    expect(placeOf("/sites/7")).toEqual({ ...nothing, siteId: 7, page: "live" });
    expect(placeOf("/sites/7/history")).toEqual({ ...nothing, siteId: 7, page: "history" });
    expect(placeOf("/sites/7/settings")).toEqual({ ...nothing, siteId: 7, page: "settings" });
    expect(placeOf("/organizations/3/people")).toEqual({ ...nothing, organizationId: 3, page: "people" });
    expect(placeOf("/organizations/3/audit")).toEqual({ ...nothing, organizationId: 3, page: "audit" });
    expect(placeOf("/account")).toEqual({ ...nothing, page: "account" });
    expect(placeOf("/sites/x")).toEqual({ ...nothing, page: "other" });
    expect(placeOf("/sites/7/edit")).toEqual({ ...nothing, page: "other" });
  });

  it("falls back to a day for a range that is none", () => {
    expect(rangeOf("7d").key).toBe("7d");
    expect(rangeOf("9y").key).toBe("24h");
  });
});

describe("sites", () => {
  it("stand under their organization, both by name", () => {
    const site = (name: string, organization: string): Site => ({ id: 1, wire: "site_1", name, timezone: "UTC", address: "", latitude: 0, longitude: 0, operatorsMayControl: false, organization: { id: organization.length, name: organization }, role: "viewer", actions: [], grantable: [] });
    const groups = byOrganization([site("Z", "Two"), site("B", "One and"), site("A", "Two")]);
    expect(groups.map((group) => [group.organization.name, group.sites.map((each) => each.name)])).toEqual([["One and", ["B"]], ["Two", ["A", "Z"]]]);
    expect(siteIdOf("site_42")).toBe(42);
  });
});
