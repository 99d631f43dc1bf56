import type { MemberRole, SiteRole } from "./roles";

export interface Person {
  readonly id: number;
  readonly email: string;
  readonly name: string;
}

/** Somebody's membership of an organization. An inactive person cannot sign in. */
export interface Member {
  readonly id: number;
  readonly person: Person;
  readonly active: boolean;
  readonly role: MemberRole;
}

/** A role on one site that comes with an invitation. */
export interface SiteGrant {
  readonly site: number;
  readonly role: SiteRole;
}

/** Somebody who was asked to join and has not answered yet. `expires` in ms. */
export interface Invitation {
  readonly id: number;
  readonly email: string;
  readonly role: MemberRole;
  readonly sites: readonly SiteGrant[];
  readonly expires: number;
  /** Of the message with the link. */
  readonly delivery: "waiting" | "sent" | "refused";
}

export interface NewInvitation {
  readonly organization: number;
  readonly email: string;
  readonly role: MemberRole;
  readonly sites: readonly SiteGrant[];
}

/** What somebody without a session learns from the link in their mail. */
export interface OpenInvitation {
  readonly email: string;
  readonly organization: string;
  readonly role: string;
  readonly expires: number;
  readonly hasAccount: boolean;
}

/** A role that somebody was given on one site. */
export interface SiteAccess {
  readonly id: number;
  readonly person: Person;
  readonly role: SiteRole;
}

/** Who may do what on a site, and why. `role` null: nothing at all. `granted` is the row behind it, where there is one. */
export interface ExplainedAccess {
  readonly person: Person;
  /** The account of an organization's access token, and nobody's login. */
  readonly service: boolean;
  readonly role: string | null;
  readonly actions: readonly string[];
  readonly because: readonly string[];
  readonly granted: SiteAccess | null;
}

export function nameOf(person: Person): string {
  return person.name || person.email;
}

/** Two letters for a round picture. */
export function initials(name: string): string {
  const words = name.split(/[\s@.]+/).filter(Boolean);
  return ((words[0]?.[0] ?? "") + (words[1]?.[0] ?? "")).toUpperCase() || "?";
}
