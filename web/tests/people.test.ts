import { describe, expect, it } from "vitest";
import { expiryAfter, LIFETIMES, SCOPES, scopeAllows, tokenState, type AccessToken } from "@/domain/access-token";
import { bootstrapOf } from "@/domain/bootstrap";
import { linkToken } from "@/domain/link-token";
import { deviceWords } from "@/domain/login-session";
import { initials, nameOf } from "@/domain/people";
import { actionWords, isMemberRole, isSiteRole, MEMBER_ROLES, roleName, SITE_ROLES } from "@/domain/roles";
import { connectionOf, treeLines } from "@/domain/site-settings";

describe("roles and actions", () => {
  it("have a name, also those that this page does not know yet", () => {
    expect([roleName("site_manager"), roleName("org_admin"), roleName("night_watch")]).toEqual(["Site manager", "Org admin", "Night watch"]);
    expect([actionWords("control_devices"), actionWords("paint_walls")]).toEqual(["control devices", "paint walls"]);
  });

  it("say what they allow", () => {
    for (const { allows } of [...Object.values(SITE_ROLES), ...Object.values(MEMBER_ROLES)]) expect(allows).toMatch(/\.$/);
  });

  it("are only those that there are", () => {
    expect([isSiteRole("viewer"), isSiteRole("org_admin"), isSiteRole("toString")]).toEqual([true, false, false]);
    expect([isMemberRole("org_admin"), isMemberRole("viewer")]).toEqual([true, false]);
  });
});

describe("a person", () => {
  it("is called by their name, else by their address", () => {
    expect(nameOf({ id: 1, name: "", email: "ada@nordwerk.example" })).toBe("ada@nordwerk.example");
    expect([initials("Ada Lovelace"), initials("ada@nordwerk.example"), initials("")]).toEqual(["AL", "AN", "?"]);
  });
});

describe("a link from a mail", () => {
  it.each([["#token=abc_d-e", "abc_d-e"], ["#abc", "abc"], ["#token=a%2Bb", "a+b"], ["", ""], ["#token=", ""], ["#token=%E0%A4%A", ""]])("%s carries %j", (fragment, token) => {
    expect(linkToken(fragment)).toBe(token);
  });
});

describe("an access token", () => {
  const token: AccessToken = { id: 1, name: "Export", prefix: "ab12", scopes: ["read"], sites: null, organization: null, created: 0, expires: 1_000, lastUsed: null, revoked: null };

  it("is active until it expires or is revoked", () => {
    expect([tokenState(token, 999), tokenState(token, 1_000), tokenState({ ...token, revoked: 5 }, 2_000)]).toEqual(["active", "expired", "revoked"]);
  });

  it("lives at most as long as the backend allows", () => {
    for (const { days } of LIFETIMES) expect(expiryAfter(days, 0)).toBeLessThanOrEqual(366 * 86_400_000);
  });

  it("has words for each of its scopes", () => {
    for (const scope of SCOPES) expect(scopeAllows(scope)).not.toBe("");
  });
});

describe("a device that is signed in", () => {
  it.each([
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge on Windows"],
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "Chrome on Linux"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on macOS"],
    ["python-httpx/0.28", "python-httpx/0.28"],
    ["", "Unknown device"],
  ])("%s is %s", (agent, words) => {
    expect(deviceWords(agent)).toBe(words);
  });
});

describe("an edge's bootstrap file", () => {
  it("says where the backend is, and with which key", () => {
    expect(bootstrapOf("https://ems.example", "ems_ab_cd")).toBe("url: https://ems.example\nkey: ems_ab_cd\nstore: /var/lib/ems-edge\n");
  });
});

describe("assets", () => {
  const asset = (id: number, parent: number | null) => ({ id, name: String(id), kind: "building", parent });

  it("are lines of a tree, each below its parent", () => {
    const lines = treeLines([asset(3, 1), asset(1, null), asset(4, 3), asset(2, null)]);
    expect(lines.map((line) => [line.asset.id, line.depth])).toEqual([[1, 0], [3, 1], [4, 2], [2, 0]]);
  });

  it("stand at the top where the parent cannot be seen", () => {
    expect(treeLines([asset(5, 99)]).map((line) => line.depth)).toEqual([0]);
  });
});

describe("how a device is reached", () => {
  it("is an object, or nothing", () => {
    expect(connectionOf('{"host": "10.0.0.5", "port": 502}')).toEqual({ host: "10.0.0.5", port: 502 });
    expect([connectionOf("[1]"), connectionOf("null"), connectionOf("{host}"), connectionOf("")]).toEqual([null, null, null, null]);
  });
});
