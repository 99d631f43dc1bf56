import type { AuthGateway, SessionGrant, Setup } from "@/application/ports";
import { isNumber, isRecord, isText, isWhole } from "@/domain/guards";
import { Problem } from "@/domain/problem";
import type { User } from "@/domain/site";
import { call, json } from "./http";

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
  if (!isRecord(body) || !isText(body.access) || !isNumber(body.expires)) {
    throw new Problem("failed", "The server's answer to the sign-in could not be read.");
  }
  return { access: body.access, expires: body.expires + skew, user: userOf(body.user) };
}

function userOf(value: unknown): User {
  if (!isRecord(value) || !isWhole(value.id) || !isText(value.email)) {
    throw new Problem("failed", "The server's answer does not say who is signed in.");
  }
  return {
    id: value.id,
    email: value.email,
    name: isText(value.name) ? value.name : "",
    platformAdmin: value.platform_admin === true,
    developer: value.developer === true,
  };
}
