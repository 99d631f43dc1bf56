import { isListOf, isRecord, isText } from "@/domain/guards";
import { kindOfStatus, Problem, type FieldError } from "@/domain/problem";

/** One request. Anything but a 2xx is thrown as a Problem, and so is a network that carries nothing. */
export async function send(request: Request): Promise<Response> {
  const response = await fetch(request).catch((error: unknown) => {
    // The platform reports every network failure as a TypeError.
    if (error instanceof TypeError) throw new Problem("unreachable");
    throw error;
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && isText(value.field) && isText(value.message);
}

const CODE = /^urn:ems:problem:(\w+)$/;

/** RFC 9457 problem details, as far as the answer has them. */
async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const details = isRecord(body) ? body : {};
  return new Problem(
    kindOfStatus(response.status),
    isText(details.detail) ? details.detail : null,
    isListOf(details.errors, isFieldError) ? details.errors : [],
    response.headers.get("X-Request-ID"),
    isText(details.type) ? (CODE.exec(details.type)?.[1] ?? null) : null,
  );
}
