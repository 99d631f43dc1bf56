import type { SiteGateway } from "@/application/ports";
import type { Action, Kind } from "@/domain/contract.gen";
import { isListOf, isMapOf, isNumber, isRecord, isText, isWhole } from "@/domain/guards";
import { Problem } from "@/domain/problem";
import { isSiteRole } from "@/domain/roles";
import type { Asset, Device, Organization, OwnOrganization, Point, Site } from "@/domain/site";
import type { SiteChange } from "@/domain/site-settings";
import { isTimezone } from "@/domain/site-time";
import { bodyOf, everyPage, type Client } from "./client";
import type { Schemas, Wire } from "./wire";

export class SiteApi implements SiteGateway {
  constructor(private readonly client: Client) {}

  async organizations(): Promise<OwnOrganization[]> {
    return (await everyPage((query) => this.client.GET("/api/organizations", { params: { query } }))).map(ownOrganizationOf);
  }

  async sites(): Promise<Site[]> {
    return (await everyPage((query) => this.client.GET("/api/sites", { params: { query } }))).map(siteOf);
  }

  async site(id: number): Promise<Site> {
    return siteOf(await bodyOf(this.client.GET("/api/sites/{site_id}", { params: { path: { site_id: id } } })));
  }

  async change(id: number, { operatorsMayControl, ...change }: SiteChange): Promise<Site> {
    const body = { ...change, operators_may_control: operatorsMayControl };
    return siteOf(await bodyOf(this.client.PATCH("/api/sites/{site_id}", { params: { path: { site_id: id } }, body })));
  }

  async points(siteId: number): Promise<Point[]> {
    const { results } = await bodyOf(this.client.GET("/api/sites/{site_id}/points", { params: { path: { site_id: siteId } } }));
    if (!Array.isArray(results)) throw unreadable("list");
    return results.map(pointOf);
  }
}

function unreadable(what: string): Problem {
  return new Problem("failed", `The server's answer holds a ${what} that could not be read.`);
}

function ownOrganizationOf(row: Schemas["OrganizationRow"]): OwnOrganization {
  const { id, name, actions, sandbox, suspended, sites, members } = row;
  return { id, name, actions, sandbox, suspended: suspended !== null, sites, members };
}

function organizationOf(value: unknown): Organization {
  if (!isRecord(value)) throw unreadable("organization");
  const { id, name }: Wire<"SiteOrganization"> = value;
  if (!isWhole(id) || !isText(name)) throw unreadable("organization");
  return { id, name };
}

function siteOf(value: unknown): Site {
  if (!isRecord(value)) throw unreadable("site");
  const { id, site, name, timezone, address, organization, role, actions, ...rest }: Wire<"Site"> = value;
  if (!isWhole(id) || !isText(site) || !isText(name) || !isText(timezone) || !isListOf(actions, isText)) throw unreadable("site");
  return {
    id,
    wire: site,
    name,
    // A zone that this browser does not know would break every time on the page.
    timezone: isTimezone(timezone) ? timezone : "UTC",
    address: isText(address) ? address : "",
    latitude: isNumber(rest.latitude) ? rest.latitude : 0,
    longitude: isNumber(rest.longitude) ? rest.longitude : 0,
    operatorsMayControl: rest.operators_may_control === true,
    organization: organizationOf(organization),
    role: isText(role) ? role : "",
    actions: actions as Action[],
    grantable: isListOf(rest.grantable, isText) ? rest.grantable.filter(isSiteRole) : [],
  };
}

const KINDS: readonly Kind[] = ["gauge", "register", "state"];

function pointOf(value: unknown): Point {
  if (!isRecord(value)) throw unreadable("point");
  const { id, key, name, unit, kind, states, device, asset, adopted, ...rest }: Wire<"Point"> = value;
  if (!isWhole(id) || !isText(key) || !isText(unit)) throw unreadable("point");
  return {
    id,
    key,
    name: isText(name) && name ? name : key,
    unit,
    kind: KINDS.find((each) => each === kind) ?? "gauge",
    states: isMapOf(states, isText) ? states : null,
    writable: rest.writable === true,
    minimum: isNumber(rest.minimum) ? rest.minimum : null,
    maximum: isNumber(rest.maximum) ? rest.maximum : null,
    fallback: isNumber(rest.default) ? rest.default : null,
    device: isRecord(device) ? deviceOf(device) : null,
    asset: isRecord(asset) ? assetOf(asset) : null,
    adopted: adopted !== false,
  };
}

function deviceOf({ id, key, name, profile }: Wire<"PointDevice">): Device {
  if (!isWhole(id) || !isText(key)) throw unreadable("device");
  return { id, key, name: isText(name) && name ? name : key, profile: isText(profile) ? profile : "" };
}

function assetOf({ id, name, kind }: Wire<"PointAsset">): Asset {
  if (!isWhole(id) || !isText(kind)) throw unreadable("asset");
  return { id, name: isText(name) ? name : "", kind };
}
