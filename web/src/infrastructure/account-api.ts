import type { AccountGateway, TwoFactorStart } from "@/application/people-ports";
import type { LoginSession } from "@/domain/login-session";
import type { User } from "@/domain/site";
import { instant } from "@/domain/when";
import { userOf } from "./auth-api";
import { bodyOf, type Client } from "./client";
import type { Schemas } from "./wire";

export class AccountApi implements AccountGateway {
  constructor(private readonly client: Client) {}

  async me(): Promise<User> {
    return userOf(await bodyOf(this.client.GET("/api/auth/me")));
  }

  async rename(name: string): Promise<User> {
    return userOf(await bodyOf(this.client.PATCH("/api/auth/me", { body: { name } })));
  }

  async sessions(): Promise<LoginSession[]> {
    return (await bodyOf(this.client.GET("/api/auth/sessions"))).results.map(sessionOf);
  }

  async endSession(id: string): Promise<void> {
    await this.client.DELETE("/api/auth/sessions/{session_id}", { params: { path: { session_id: id } } });
  }

  async startTwoFactor(): Promise<TwoFactorStart> {
    const { secret, qr } = await bodyOf(this.client.POST("/api/auth/two-factor"));
    return { secret, qr: documentOf(qr) };
  }

  async confirmTwoFactor(code: string, password: string): Promise<string[]> {
    return (await bodyOf(this.client.POST("/api/auth/two-factor/confirm", { body: { code, password } }))).recovery_codes;
  }

  async stopTwoFactor(password: string): Promise<void> {
    await this.client.DELETE("/api/auth/two-factor", { body: { password } });
  }

  async join(token: string): Promise<User> {
    return userOf(await bodyOf(this.client.POST("/api/auth/invitation/accept", { body: { token } })));
  }
}

/** The server sends an element for a page; an image needs a document, which names its language. */
function documentOf(svg: string): string {
  return svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
}

function sessionOf({ id, created, last_used, address, user_agent, current }: Schemas["LoginSession"]): LoginSession {
  return { id, created: instant(created ?? last_used), lastUsed: instant(last_used), address: address ?? "", userAgent: user_agent ?? "", current };
}
