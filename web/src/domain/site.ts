import type { Action, Kind } from "./contract.gen";
import type { SiteRole } from "./roles";

/** Who is signed in. */
export interface User {
  readonly id: number;
  readonly email: string;
  readonly name: string;
  readonly platformAdmin: boolean;
  readonly developer: boolean;
  readonly twoFactor: boolean;
}

export interface Organization {
  readonly id: number;
  readonly name: string;
}

/** An organization of the caller's, with what the caller may do there. A sandbox holds test data only. */
export interface OwnOrganization extends Organization {
  readonly actions: readonly Action[];
  readonly sandbox: boolean;
  readonly suspended: boolean;
  /** How many; null where that is not the caller's to know. */
  readonly sites: number | null;
  readonly members: number | null;
}

/** A site the user may see, with what the user may do there. `wire` is its name in frames: `site_7`. */
export interface Site {
  readonly id: number;
  readonly wire: string;
  readonly name: string;
  readonly timezone: string;
  readonly address: string;
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
  readonly operatorsMayControl: boolean;
  readonly organization: Organization;
  readonly role: string;
  readonly actions: readonly Action[];
  /** The roles that the caller may give to others here, and take from them. */
  readonly grantable: readonly SiteRole[];
}

export interface Device {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly profile: string;
}

export interface Asset {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
}

/** One typed signal. Its unit and sign are declared here and never travel in a sample. */
export interface Point {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly unit: string;
  readonly kind: Kind;
  readonly states: Readonly<Record<string, string>> | null;
  /** What may be asked of it, in its unit; null where there is no limit. `fallback` is restored when nobody holds it. */
  readonly writable: boolean;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly fallback: number | null;
  readonly device: Device | null;
  readonly asset: Asset | null;
  readonly adopted: boolean;
}

/** `site_7` -> 7 */
export function siteIdOf(wire: string): number {
  return Number(wire.slice("site_".length));
}

export function may(place: Site | OwnOrganization, action: Action): boolean {
  return place.actions.includes(action);
}

/** Whether the site has anything that the caller may change. */
export function hasSettings(site: Site): boolean {
  return may(site, "manage_site") || may(site, "add_site_users");
}

/** Sites under their organization, both in the order of their names. */
export function byOrganization(sites: readonly Site[]): { organization: Organization; sites: Site[] }[] {
  const groups = new Map<number, { organization: Organization; sites: Site[] }>();
  for (const site of [...sites].sort((a, b) => a.name.localeCompare(b.name))) {
    const group = groups.get(site.organization.id);
    if (group) group.sites.push(site);
    else groups.set(site.organization.id, { organization: site.organization, sites: [site] });
  }
  return [...groups.values()].sort((a, b) => a.organization.name.localeCompare(b.organization.name));
}
