import { describe, expect, it } from "vitest";
import { ageWord, agoWord } from "@/domain/age";
import { explain, kindOfStatus, Problem } from "@/domain/problem";
import { qualityOf, qualityOfCode, reasonOfCode, reasonSentence, reasonWord } from "@/domain/quality";

describe("an age", () => {
  it.each([[0, "now"], [1_999, "now"], [2_000, "2 s"], [59_999, "59 s"], [60_000, "1 min"], [3_600_000, "1 h"], [47 * 3_600_000, "47 h"], [48 * 3_600_000, "2 d"]])("of %d ms is %s", (ms, word) => {
    expect(ageWord(ms)).toBe(word);
  });

  it("is part of a sentence", () => {
    expect(agoWord(500)).toBe("just now");
    expect(agoWord(65_000)).toBe("1 min ago");
  });
});

describe("quality", () => {
  it("is bad without a value, uncertain with a reason, else good", () => {
    expect(qualityOf(null, "timeout")).toBe("bad");
    expect(qualityOf(0, "stuck")).toBe("uncertain");
    expect(qualityOf(0, null)).toBe("good");
  });

  it("is known from its stored code", () => {
    expect([0, 1, 63, 64, 127].map(qualityOfCode)).toEqual(["good", "uncertain", "uncertain", "bad", "bad"]);
    expect([0, 3, 64, 99].map(reasonOfCode)).toEqual([null, "stuck", "timeout", "other"]);
  });

  it("has words for every reason, also for one of a newer edge", () => {
    expect(reasonSentence("timeout")).toMatch(/did not answer/);
    expect(reasonSentence("never_heard_of")).toBe(reasonSentence("other"));
    expect(reasonWord("never_heard_of")).toBe(reasonWord("other"));
  });
});

describe("a problem", () => {
  it("says what happened and what to do", () => {
    expect(explain(new Problem("unreachable")).remedy).toMatch(/network/);
    expect(explain(new Problem("invalid", "The span is too long.")).what).toBe("The span is too long.");
    expect(explain(new Error("a bug")).what).toBe("The server failed.");
  });

  it("that a person can solve says how", () => {
    const needed = new Problem("forbidden", "Set up a second factor first.", [], null, "two_factor_needed");
    expect(explain(needed)).toMatchObject({ what: "Your account needs two-factor sign-in." });
  });

  it("is told by the status", () => {
    expect([400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504].map(kindOfStatus)).toEqual(
      ["invalid", "signed_out", "forbidden", "not_found", "conflict", "invalid", "too_many", "failed", "unavailable", "unavailable", "unavailable"],
    );
  });
});
