import type { TokenGateway } from "@/application/people-ports";
import type { AccessToken } from "@/domain/access-token";
import { Problem } from "@/domain/problem";
import type { Client } from "./client";

export class TokenApi implements TokenGateway {
  constructor(readonly client: Client) {}
  tokens(): Promise<AccessToken[]> { return Promise.resolve([]); }
  create(): Promise<never> { return Promise.reject(new Problem("failed")); }
  revoke(): Promise<void> { return Promise.resolve(); }
}
