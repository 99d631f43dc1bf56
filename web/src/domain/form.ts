import { explain, type Problem } from "./problem";

/** What was refused about one field. `connection.port` belongs to the field `connection`. */
export function wordsFor(problem: Problem | null, field: string): string | undefined {
  const own = problem?.fields.filter((each) => each.field === field || each.field.startsWith(`${field}.`)) ?? [];
  if (own.length === 0) return undefined;
  return own.map((each) => (each.field === field ? each.message : `${each.field.slice(field.length + 1)}: ${each.message}`)).join(" ");
}

/** What to say above a form that marks the `shown` fields: what is marked nowhere is said here. */
export function wordsAbove(problem: Problem, shown: readonly string[]): string {
  const unmarked = problem.fields.filter(({ field }) => !shown.some((name) => field === name || field.startsWith(`${name}.`)));
  if (unmarked.length > 0) return unmarked.map((each) => each.message).join(" ");
  if (problem.fields.length > 0) return "Correct what is marked and try again.";
  const { what, remedy } = explain(problem);
  // A server's sentence already says what to do.
  return problem.detail && problem.kind !== "failed" ? problem.detail : `${what} ${remedy}`;
}
