import { Problem } from "@/domain/problem";
import { call, json } from "./http";

/** Where the access token comes from. */
export interface TokenSource {
  token(): Promise<string>;
  /** A token other than the one that was just refused. */
  tokenAfter(refused: string): Promise<string>;
}

/** GET with the session's token. A refused token is replaced and the request repeated, once. */
export async function getJson(tokens: TokenSource, path: string): Promise<unknown> {
  const token = await tokens.token();
  try {
    return await json(await call({ path, token }));
  } catch (error) {
    if (!(error instanceof Problem) || error.kind !== "signed_out") throw error;
    return json(await call({ path, token: await tokens.tokenAfter(token) }));
  }
}
