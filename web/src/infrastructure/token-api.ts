import type { TokenGateway, TokenOwner } from "@/application/people-ports";
import type { AccessToken, NewAccessToken } from "@/domain/access-token";
import { instant } from "@/domain/when";
import { bodyOf, everyPage, type Client } from "./client";
import type { Schemas } from "./wire";

export class TokenApi implements TokenGateway {
  constructor(private readonly client: Client) {}

  async tokens(owner: TokenOwner): Promise<AccessToken[]> {
    const query = "organization" in owner ? { organization: owner.organization } : {};
    const rows = await everyPage((page) => this.client.GET("/api/access-tokens", { params: { query: { ...page, ...query } } }));
    // Whoever administers is also told of what is not their own.
    return rows.filter((row) => ("organization" in owner ? row.organization === owner.organization : row.organization === null && row.user.id === owner.person)).map(tokenOf);
  }

  async create({ name, scopes, sites, expires, organization, role }: NewAccessToken): Promise<{ token: AccessToken; text: string }> {
    const made = await bodyOf(
      this.client.POST("/api/access-tokens", {
        body: {
          name,
          scopes: scopes as Schemas["ScopesEnum"][],
          sites: sites === null ? null : [...sites],
          expires: new Date(expires).toISOString(),
          ...(organization === undefined ? {} : { organization }),
          ...(role === undefined ? {} : { role }),
        },
      }),
    );
    return { token: tokenOf(made), text: made.token };
  }

  async revoke(id: number): Promise<void> {
    await this.client.DELETE("/api/access-tokens/{id}", { params: { path: { id } } });
  }
}

function tokenOf({ id, name, prefix, scopes, sites, organization, created, expires, last_used, revoked }: Schemas["AccessToken"]): AccessToken {
  return {
    id, name, prefix, scopes, sites, organization,
    created: instant(created),
    expires: instant(expires),
    lastUsed: last_used === null ? null : instant(last_used),
    revoked: revoked === null ? null : instant(revoked),
  };
}
