import type { AuthGateway, SessionGrant, Setup } from "@/application/ports";
import { isNumber, isRecord, isText, isWhole } from "@/domain/guards";
import { Problem } from "@/domain/problem";
import type { User } from "@/domain/site";
import { call, json } from "./http";
import type { Wire } from "./wire";

export class AuthApi implements AuthGateway {
  async signIn(email: string, password: string): Promise<SessionGrant> {
    return grantOf(await call({ method: "POST", path: "/api/auth/login", body: { email, password } }));
  }

  async refresh(): Promise<SessionGrant> {
    return grantOf(await call({ method: "POST", path: "/api/auth/refresh", body: {} }));
  }

  async signOut(): Promise<void> {
    await call({ method: "POST", path: "/api/auth/logout", body: {} });
  }

  async setUp(setup: Setup): Promise<SessionGrant> {
    return grantOf(await call({ method: "POST", path: "/api/auth/setup", body: setup }));
  }
}

/** `expires` is the server's time; a browser whose clock is wrong must still renew in time. */
async function grantOf(response: Response): Promise<SessionGrant> {
  const sent = Date.parse(response.headers.get("Date") ?? "");
  const skew = Number.isNaN(sent) ? 0 : Date.now() - sent;
  const body = await json(response);
  const { access, expires, user }: Wire<"Session"> = isRecord(body) ? body : {};
  if (!isText(access) || !isNumber(expires)) throw new Problem("failed", "The server's answer to the sign-in could not be read.");
  return { access, expires: expires + skew, user: userOf(user) };
}

function userOf(value: unknown): User {
  const { id, email, name, platform_admin, developer }: Wire<"User"> = isRecord(value) ? value : {};
  if (!isWhole(id) || !isText(email)) throw new Problem("failed", "The server's answer does not say who is signed in.");
  return { id, email, name: isText(name) ? name : "", platformAdmin: platform_admin === true, developer: developer === true };
}
