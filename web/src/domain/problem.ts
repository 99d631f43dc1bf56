/** What kept a request from doing its work. */
export type ProblemKind = "unreachable" | "unavailable" | "signed_out" | "forbidden" | "not_found" | "invalid" | "conflict" | "too_many" | "failed";

/** One field of a form that was refused. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A refused or failed request. `requestId` is what an operator finds in the logs, `code` the server's name for it. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly kind: ProblemKind,
    readonly detail: string | null = null,
    readonly fields: readonly FieldError[] = [],
    readonly requestId: string | null = null,
    readonly code: string | null = null,
  ) {
    super(detail ?? kind);
  }
}

export function kindOfStatus(status: number): ProblemKind {
  if (status === 400 || status === 422) return "invalid";
  if (status === 401) return "signed_out";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 409) return "conflict";
  if (status === 429) return "too_many";
  return status === 502 || status === 503 || status === 504 ? "unavailable" : "failed";
}

const WORDS: Readonly<Record<ProblemKind, { what: string; remedy: string }>> = {
  unreachable: { what: "The server cannot be reached.", remedy: "Check this device's network, then try again." },
  unavailable: { what: "The server is not ready.", remedy: "It may be starting. Try again in a moment." },
  signed_out: { what: "Your session has ended.", remedy: "Sign in again to continue." },
  forbidden: { what: "Your role does not allow this.", remedy: "Ask an administrator of the site for access." },
  not_found: { what: "There is nothing here that you can see.", remedy: "Check the address, or choose a site from the overview." },
  invalid: { what: "The request was refused.", remedy: "Correct what is marked and try again." },
  conflict: { what: "This cannot be done as things are.", remedy: "Look at what changed, then try again." },
  too_many: { what: "Too many attempts.", remedy: "Wait a minute, then try again." },
  failed: { what: "The server failed.", remedy: "Try again. If it keeps failing, give the request id to your administrator." },
};

/** Refusals that a person can do something about, by the server's name for them. */
export const TWO_FACTOR_NEEDED = "two_factor_needed";

const WORDS_OF_CODE: Readonly<Record<string, { what: string; remedy: string }>> = {
  [TWO_FACTOR_NEEDED]: { what: "Your account needs two-factor sign-in.", remedy: "Turn it on in your account; everything else opens then." },
};

/** What happened, and what to do about it. */
export function explain(problem: unknown): { what: string; remedy: string; requestId: string | null } {
  if (!(problem instanceof Problem)) return { ...WORDS.failed, requestId: null };
  const known = WORDS_OF_CODE[problem.code ?? ""];
  if (known) return { ...known, requestId: null };
  const words = WORDS[problem.kind];
  // What the server says of a refusal is closer to the case than what can be said here.
  const spoken = problem.kind === "invalid" || problem.kind === "conflict";
  const what = spoken && problem.detail ? problem.detail : words.what;
  return { what, remedy: words.remedy, requestId: problem.requestId };
}
