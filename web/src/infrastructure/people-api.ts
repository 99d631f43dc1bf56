import type { PeopleGateway } from "@/application/people-ports";
import type { ExplainedAccess, Invitation, Member, NewInvitation, Person, SiteAccess } from "@/domain/people";
import { isMemberRole, type MemberRole, type SiteRole } from "@/domain/roles";
import { instant } from "@/domain/when";
import { bodyOf, everyPage, type Client } from "./client";
import type { Schemas } from "./wire";

export class PeopleApi implements PeopleGateway {
  constructor(private readonly client: Client) {}

  async members(organization: number): Promise<Member[]> {
    return (await everyPage((page) => this.client.GET("/api/memberships", { params: { query: { ...page, organization } } }))).map(memberOf);
  }

  async changeMember(membership: number, role: MemberRole): Promise<void> {
    await this.client.PATCH("/api/memberships/{id}", { params: { path: { id: membership } }, body: { role } });
  }

  async removeMember(membership: number): Promise<void> {
    await this.client.DELETE("/api/memberships/{id}", { params: { path: { id: membership } } });
  }

  /** Those that nobody has accepted, also when their time is over. */
  async invitations(organization: number): Promise<Invitation[]> {
    const rows = await everyPage((page) => this.client.GET("/api/invitations", { params: { query: { ...page, organization } } }));
    return rows.filter((row) => row.state !== "accepted").map(invitationOf);
  }

  async invite({ organization, email, role, sites }: NewInvitation): Promise<void> {
    await this.client.POST("/api/invitations", { body: { organization, email, role, sites: [...sites] } });
  }

  async resend(invitation: number): Promise<void> {
    await this.client.POST("/api/invitations/{id}/resend", { params: { path: { id: invitation } } });
  }

  async withdraw(invitation: number): Promise<void> {
    await this.client.DELETE("/api/invitations/{id}", { params: { path: { id: invitation } } });
  }

  async peopleOfSite(site: number): Promise<ExplainedAccess[]> {
    const [explained, given] = await Promise.all([
      bodyOf(this.client.GET("/api/sites/{site_id}/access", { params: { path: { site_id: site } } })),
      everyPage((page) => this.client.GET("/api/site-access", { params: { query: { ...page, site } } })),
    ]);
    const byPerson = new Map(given.map((row) => [row.user.id, accessOf(row)]));
    return explained.results.map(({ user, role, actions, because }) => ({
      person: personOf(user), service: user.service, role, actions, because, granted: byPerson.get(user.id) ?? null,
    }));
  }

  async grant(site: number, email: string, role: SiteRole): Promise<void> {
    await this.client.POST("/api/site-access", { body: { site, email, role } });
  }

  async changeGrant(access: number, role: SiteRole): Promise<void> {
    await this.client.PATCH("/api/site-access/{id}", { params: { path: { id: access } }, body: { role } });
  }

  async revokeGrant(access: number): Promise<void> {
    await this.client.DELETE("/api/site-access/{id}", { params: { path: { id: access } } });
  }
}

function personOf({ id, email, name }: { id: number; email: string; name: string }): Person {
  return { id, email, name };
}

function memberOf({ id, user, role }: Schemas["MembershipRow"]): Member {
  return { id, person: personOf(user), active: user.is_active !== false, role };
}

function invitationOf({ id, email, role, sites, expires, delivery }: Schemas["Invitation"]): Invitation {
  return { id, email, role: role !== undefined && isMemberRole(role) ? role : "member", sites, expires: instant(expires), delivery };
}

function accessOf({ id, user, role }: Schemas["SiteAccess"]): SiteAccess {
  return { id, person: personOf(user), role };
}
