import createClient from "openapi-fetch";
import { Problem } from "@/domain/problem";
import type { paths } from "./api.gen";
import { send } from "./http";

/** The API on the page's own origin, with the paths, parameters and bodies of its generated description. */
export type Client = ReturnType<typeof createClient<paths>>;

/** Where the access token comes from. */
export interface TokenSource {
  token(): Promise<string>;
  /** A token other than the one that was just refused. */
  tokenAfter(refused: string): Promise<string>;
}

/** For what needs no session: signing in, and what someone without an account may do. */
export function openClient(): Client {
  return clientWith(send);
}

/** With the session's token. A refused token is replaced and the request repeated, once. */
export function sessionClient(tokens: TokenSource): Client {
  return clientWith(async (request) => {
    const token = await tokens.token();
    try {
      return await send(bearing(request.clone(), token));
    } catch (error) {
      if (!(error instanceof Problem) || error.kind !== "signed_out") throw error;
      return send(bearing(request, await tokens.tokenAfter(token)));
    }
  });
}

function clientWith(fetch: (request: Request) => Promise<Response>): Client {
  return createClient<paths>({
    // A browser needs none; a test outside of one has no page to be relative to.
    baseUrl: typeof location === "undefined" ? "http://localhost" : location.origin,
    headers: { Accept: "application/json" },
    credentials: "same-origin",
    cache: "no-store",
    fetch,
  });
}

function bearing(request: Request, token: string): Request {
  request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}

interface Answer<T> {
  readonly data?: T;
  readonly response: Response;
}

/** The body of an answer with its response. A body that is no JSON is a failure of the server. */
export async function answered<T>(call: Promise<Answer<T>>): Promise<{ data: NonNullable<T>; response: Response }> {
  try {
    const { data, response } = await call;
    if (data !== undefined && data !== null) return { data, response };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Problem("failed", "The server's answer could not be read.");
}

export async function bodyOf<T>(call: Promise<Answer<T>>): Promise<NonNullable<T>> {
  return (await answered(call)).data;
}

const PAGE_SIZE = 500;

interface Page<T> {
  readonly results: readonly T[];
  readonly next?: string | null | undefined;
}

/** Every page of a list. The answer's own link to the next one names a host that only the web server can reach. */
export async function everyPage<T>(fetchPage: (query: { page: number; page_size: number }) => Promise<Answer<Page<T>>>): Promise<T[]> {
  const rows: T[] = [];
  for (let page = 1; ; page += 1) {
    const { results, next } = await bodyOf(fetchPage({ page, page_size: PAGE_SIZE }));
    if (!Array.isArray(results)) throw new Problem("failed", "The server's answer holds a list that could not be read.");
    rows.push(...(results as readonly T[]));
    if (!next) return rows;
  }
}
