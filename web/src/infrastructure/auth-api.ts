import type { AuthGateway, SessionGrant, Setup } from "@/application/people-ports";
import { isNumber, isRecord, isText, isWhole } from "@/domain/guards";
import type { OpenInvitation } from "@/domain/people";
import { Problem } from "@/domain/problem";
import type { User } from "@/domain/site";
import { instant } from "@/domain/when";
import { answered, bodyOf, type Client } from "./client";
import type { Wire } from "./wire";

export class AuthApi implements AuthGateway {
  /** A client without a session: here is where one begins. */
  constructor(private readonly client: Client) {}

  async signIn(email: string, password: string, code?: string): Promise<SessionGrant> {
    const body = { email, password, ...(code === undefined ? {} : { code }) };
    return grantOf(await answered(this.client.POST("/api/auth/login", { body })));
  }

  async refresh(): Promise<SessionGrant> {
    return grantOf(await answered(this.client.POST("/api/auth/refresh")));
  }

  async signOut(): Promise<void> {
    await this.client.POST("/api/auth/logout");
  }

  async changePassword(access: string, current: string, next: string): Promise<SessionGrant> {
    const headers = { Authorization: `Bearer ${access}` };
    return grantOf(await answered(this.client.POST("/api/auth/password", { body: { current, new: next }, headers })));
  }

  async setUp(setup: Setup): Promise<SessionGrant> {
    return grantOf(await answered(this.client.POST("/api/auth/setup", { body: setup })));
  }

  async forgotPassword(email: string): Promise<void> {
    await this.client.POST("/api/auth/password/forgot", { body: { email } });
  }

  async resetPassword(token: string, next: string): Promise<void> {
    await this.client.POST("/api/auth/password/reset", { body: { token, new: next } });
  }

  async invitation(token: string): Promise<OpenInvitation> {
    const { has_account, expires, ...rest } = await bodyOf(this.client.POST("/api/auth/invitation", { body: { token } }));
    return { ...rest, expires: instant(expires), hasAccount: has_account };
  }

  async joinAsNew(token: string, name: string, password: string): Promise<SessionGrant> {
    return grantOf(await answered(this.client.POST("/api/auth/invitation/accept", { body: { token, name, password } })));
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
  const { id, email, name, platform_admin, developer, two_factor }: Wire<"User"> = isRecord(value) ? value : {};
  if (!isWhole(id) || !isText(email)) throw new Problem("failed", "The server's answer does not say who is signed in.");
  return {
    id, email,
    name: isText(name) ? name : "",
    platformAdmin: platform_admin === true,
    developer: developer === true,
    twoFactor: two_factor === true,
  };
}
