import type { AuthGateway, SessionGrant, Setup } from "@/application/ports";
import { isNumber, isRecord, isText, isWhole } from "@/domain/guards";
import { Problem } from "@/domain/problem";
import type { User } from "@/domain/site";
import { answered, openClient } from "./client";
import type { Wire } from "./wire";

export class AuthApi implements AuthGateway {
  private readonly client = openClient();

  async signIn(email: string, password: string): Promise<SessionGrant> {
    return grantOf(await answered(this.client.POST("/api/auth/login", { body: { email, password } })));
  }

  async refresh(): Promise<SessionGrant> {
    return grantOf(await answered(this.client.POST("/api/auth/refresh")));
  }

  async signOut(): Promise<void> {
    await this.client.POST("/api/auth/logout");
  }

  async setUp(setup: Setup): Promise<SessionGrant> {
    return grantOf(await answered(this.client.POST("/api/auth/setup", { body: setup })));
  }
}

/** `expires` is the server's time; a browser whose clock is wrong must still renew in time. */
export function grantOf({ data, response }: { data: unknown; response: Response }): SessionGrant {
  const sent = Date.parse(response.headers.get("Date") ?? "");
  const skew = Number.isNaN(sent) ? 0 : Date.now() - sent;
  const { access, expires, user }: Wire<"Session"> = isRecord(data) ? data : {};
  if (!isText(access) || !isNumber(expires)) throw new Problem("failed", "The server's answer to the sign-in could not be read.");
  return { access, expires: expires + skew, user: userOf(user) };
}

export function userOf(value: unknown): User {
  const { id, email, name, platform_admin, developer }: Wire<"User"> = isRecord(value) ? value : {};
  if (!isWhole(id) || !isText(email)) throw new Problem("failed", "The server's answer does not say who is signed in.");
  return { id, email, name: isText(name) ? name : "", platformAdmin: platform_admin === true, developer: developer === true };
}
