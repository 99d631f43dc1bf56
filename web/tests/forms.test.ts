import { describe, expect, it } from "vitest";
import { wordsAbove, wordsFor } from "@/domain/form";
import { Problem } from "@/domain/problem";
import { FormValues } from "@/presentation/hooks/use-form";

const refused = (...fields: [string, string][]) => new Problem("invalid", "Some of the fields are not acceptable.", fields.map(([field, message]) => ({ field, message })));

describe("what is wrong with a field", () => {
  it("is said at the field", () => {
    expect(wordsFor(refused(["email", "Write an address."]), "email")).toBe("Write an address.");
    expect(wordsFor(refused(["email", "Write an address."]), "name")).toBeUndefined();
    expect(wordsFor(null, "email")).toBeUndefined();
  });

  it("names the part of it where it has parts", () => {
    expect(wordsFor(refused(["connection.port", "At most 65535."]), "connection")).toBe("port: At most 65535.");
    expect(wordsFor(refused(["connections", "No."]), "connection")).toBeUndefined();
  });

  it("is said once for each reason", () => {
    expect(wordsFor(refused(["password", "Too short."], ["password", "Too common."]), "password")).toBe("Too short. Too common.");
  });
});

describe("what is said above a form", () => {
  it("points to what is marked", () => {
    expect(wordsAbove(refused(["email", "No."]), ["email"])).toBe("Correct what is marked and try again.");
  });

  it("is what no field of the form shows", () => {
    expect(wordsAbove(refused(["email", "No."], ["request", "Both together are too much."]), ["email"])).toBe("Both together are too much.");
  });

  it("is the server's own sentence for a conflict, and ours with the remedy where it has none", () => {
    expect(wordsAbove(new Problem("conflict", "This is the last org admin; make another one first."), [])).toMatch(/last org admin/);
    expect(wordsAbove(new Problem("unreachable"), [])).toMatch(/cannot be reached.*network/);
    expect(wordsAbove(new Problem("failed", "Traceback"), [])).not.toMatch(/Traceback/);
  });
});

describe("the values of a form", () => {
  it("are read as what they are for", () => {
    const data = new FormData();
    data.append("name", " Ada ");
    data.append("interval", "0,5");
    data.append("empty", " ");
    data.append("scopes", "read");
    data.append("scopes", "alerts");
    const values = new FormValues(data);
    expect([values.text("name"), values.trimmed("name"), values.trimmed("missing")]).toEqual([" Ada ", "Ada", ""]);
    expect([values.number("interval"), values.number("empty"), values.number("name")]).toEqual([0.5, null, null]);
    expect([values.all("scopes"), values.has("scopes"), values.has("missing")]).toEqual([["read", "alerts"], true, false]);
  });
});
