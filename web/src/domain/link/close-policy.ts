import { CloseCode } from "../contract.gen";

/** Why the link has ended for good; a person has to do something. */
export type EndReason = "bad_message" | "forbidden" | "revoked" | "signed_out";

/**
 * What a client does after a close.
 * quick: at once, then with jitter. jitter: 0-10 s. backoff: 0-10 s, then longer. token: fetch a fresh token first.
 */
export type ClosePolicy =
  | { readonly kind: "quick" | "jitter" | "backoff" | "token" }
  | { readonly kind: "end"; readonly reason: EndReason };

const POLICY = {
  [CloseCode.SERVICE_RESTART]: { kind: "jitter" },
  [CloseCode.TRY_AGAIN_LATER]: { kind: "backoff" },
  [CloseCode.BAD_MESSAGE]: { kind: "end", reason: "bad_message" },
  [CloseCode.UNAUTHENTICATED]: { kind: "token" },
  [CloseCode.FORBIDDEN]: { kind: "end", reason: "forbidden" },
  [CloseCode.AUTH_TIMEOUT]: { kind: "quick" },
  [CloseCode.GRANT_REVOKED]: { kind: "end", reason: "revoked" },
  [CloseCode.TOO_SLOW]: { kind: "quick" },
  [CloseCode.TOO_MANY]: { kind: "backoff" },
} as const satisfies Record<CloseCode, ClosePolicy>;

const BY_NUMBER: ReadonlyMap<number, ClosePolicy> = new Map(Object.entries(POLICY).map(([code, policy]) => [Number(code), policy]));

/** Any other code is a lost connection (1006, 1001, 1011): the network's fault or the service's, so try again. */
export function policyOf(code: number): ClosePolicy {
  return BY_NUMBER.get(code) ?? { kind: "quick" };
}
