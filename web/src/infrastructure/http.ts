import { isListOf, isRecord, isText } from "@/domain/guards";
import { kindOfStatus, Problem, type FieldError } from "@/domain/problem";

export interface Call {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string;
}

/** One request to the API on the page's own origin. Anything but a 2xx is thrown as a Problem. */
export async function call({ method = "GET", path, body, token }: Call): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  const response = await fetch(path, {
    method, headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    credentials: "same-origin",
    cache: "no-store",
  }).catch((error: unknown) => {
    // The platform reports every network failure as a TypeError.
    if (error instanceof TypeError) throw new Problem("unreachable");
    throw error;
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** The JSON of an answer; a body that is none is a failure of the server. */
export async function json(response: Response): Promise<unknown> {
  try {
    return (await response.json()) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw new Problem("failed", "The server's answer could not be read.");
    throw error;
  }
}

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && isText(value.field) && isText(value.message);
}

/** RFC 9457 problem details, as far as the answer has them. */
async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const details = isRecord(body) ? body : {};
  const detail = isText(details.detail) ? details.detail : null;
  const fields = isListOf(details.errors, isFieldError) ? details.errors : [];
  return new Problem(kindOfStatus(response.status), detail, fields, response.headers.get("X-Request-ID"));
}
