import { describe, expect, it } from "vitest";
import { actionName, changesOf, spanStart } from "@/domain/audit";
import { placeOf } from "@/infrastructure/audit-api";
import { localInput, untilWord } from "@/domain/when";

describe("a change in the audit log", () => {
  it("is what differs, before and after", () => {
    expect(changesOf({ role: "viewer", site: 7 }, { role: "operator", site: 7 })).toEqual([{ field: "Role", before: "viewer", after: "operator" }]);
  });

  it("of a new row is all of it, and of a deleted row too", () => {
    expect(changesOf(null, { name: "Roof" })).toEqual([{ field: "Name", before: null, after: "Roof" }]);
    expect(changesOf({ name: "Roof" }, null)).toEqual([{ field: "Name", before: "Roof", after: null }]);
    expect(changesOf(null, null)).toEqual([]);
  });

  it("reads values as a person would", () => {
    const change = changesOf({ operators_may_control: false, address: "", limits: null }, { operators_may_control: true, address: "Kai 1", limits: { max: 5 } });
    expect(change).toEqual([
      { field: "Operators may control", before: "no", after: "yes" },
      { field: "Address", before: "—", after: "Kai 1" },
      { field: "Limits", before: "—", after: '{"max":5}' },
    ]);
  });
});

describe("the filters of the audit log", () => {
  it("go back as far as they say", () => {
    expect([spanStart("all", 10_000_000), spanStart("1h", 10_000_000)]).toEqual([null, 6_400_000]);
  });

  it("go on at the place that the last page names", () => {
    expect(placeOf("http://backend:8000/api/audit?organization=1&page=older-17-5")).toBe("older-17-5");
    expect([placeOf("/api/audit?page=older-17-5"), placeOf("/api/audit"), placeOf(null)]).toEqual(["older-17-5", null, null]);
  });

  it("read a time that was typed, or none", () => {
    expect(localInput("2026-11-03T14:05")).toBe(new Date(2026, 10, 3, 14, 5).getTime());
    expect([localInput(""), localInput("never")]).toEqual([null, null]);
  });
});

describe("words of the log", () => {
  it("are plain", () => {
    expect(actionName("site_access.changed")).toBe("Site access changed");
    expect([untilWord(0, 10), untilWord(86_400_000, 0), untilWord(3 * 86_400_000, 0)]).toEqual(["now", "within a day", "in 3 days"]);
  });
});
