import type { ErrorCode } from "./contract.gen";

/** Names for the codes of an `error` frame; the schema carries only the numbers. */
export const ErrorCodes = {
  BAD_MESSAGE: 400,
  SITE_NOT_FOUND: 404,
  TOO_MANY_SITES: 429,
} as const satisfies Record<string, ErrorCode>;
