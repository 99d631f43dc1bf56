import { describe, expect, it } from "vitest";
import { listOf, listText } from "@/domain/site-settings";
import config from "../../contract/fixtures/edge_config.json";

describe("what an edge does by itself, as text", () => {
  it("comes back as it was", () => {
    expect(listOf(listText(config.value.rules))).toEqual(config.value.rules);
  });

  it("is an empty text where there is nothing, and back", () => {
    expect(listText([])).toBe("");
    expect(listOf("  \n")).toEqual([]);
  });

  it.each(["{}", "[", "[1,]", "null", "rules"])("%j is no list", (text) => {
    expect(listOf(text)).toBeNull();
  });
});
