import type { SiteGateway } from "@/application/ports";
import type { Action, Kind } from "@/domain/contract.gen";
import { isListOf, isMapOf, isRecord, isText, isWhole, type Json } from "@/domain/guards";
import { Problem } from "@/domain/problem";
import type { Asset, Device, Organization, Point, Site } from "@/domain/site";
import { isTimezone } from "@/domain/site-time";
import { getJson, type TokenSource } from "./authorized";

export class SiteApi implements SiteGateway {
  constructor(private readonly tokens: TokenSource) {}

  async sites(): Promise<Site[]> {
    return listOf(await getJson(this.tokens, "/api/sites")).map(siteOf);
  }

  async site(id: number): Promise<Site> {
    return siteOf(await getJson(this.tokens, `/api/sites/${id}`));
  }

  async points(siteId: number): Promise<Point[]> {
    return listOf(await getJson(this.tokens, `/api/sites/${siteId}/points`)).map(pointOf);
  }

  async organizations(): Promise<Organization[]> {
    return listOf(await getJson(this.tokens, "/api/organizations")).map(organizationOf);
  }
}

function unreadable(what: string): Problem {
  return new Problem("failed", `The server's answer holds a ${what} that could not be read.`);
}

/** A whole list, bare or as the one page of a paginated answer. */
function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  if (isRecord(value) && Array.isArray(value.results)) return value.results as unknown[];
  throw unreadable("list");
}

function organizationOf(value: unknown): Organization {
  if (!isRecord(value) || !isWhole(value.id) || !isText(value.name)) throw unreadable("organization");
  return { id: value.id, name: value.name };
}

function siteOf(value: unknown): Site {
  if (
    !isRecord(value) || !isWhole(value.id) || !isText(value.site) || !isText(value.name) ||
    !isText(value.timezone) || !isListOf(value.actions, isText)
  ) {
    throw unreadable("site");
  }
  return {
    id: value.id,
    wire: value.site,
    name: value.name,
    // A zone that this browser does not know would break every time on the page.
    timezone: isTimezone(value.timezone) ? value.timezone : "UTC",
    address: isText(value.address) ? value.address : "",
    organization: organizationOf(value.organization),
    role: isText(value.role) ? value.role : "",
    actions: value.actions as Action[],
  };
}

const KINDS: readonly Kind[] = ["gauge", "register", "state"];

function pointOf(value: unknown): Point {
  if (!isRecord(value) || !isText(value.key) || !isText(value.unit)) throw unreadable("point");
  return {
    key: value.key,
    name: isText(value.name) && value.name ? value.name : value.key,
    unit: value.unit,
    kind: KINDS.find((kind) => kind === value.kind) ?? "gauge",
    states: isMapOf(value.states, isText) ? value.states : null,
    device: isRecord(value.device) ? deviceOf(value.device) : null,
    asset: isRecord(value.asset) ? assetOf(value.asset) : null,
    adopted: value.adopted !== false,
  };
}

function deviceOf(value: Json): Device {
  if (!isWhole(value.id) || !isText(value.key)) throw unreadable("device");
  return {
    id: value.id,
    key: value.key,
    name: isText(value.name) && value.name ? value.name : value.key,
    profile: isText(value.profile) ? value.profile : "",
  };
}

function assetOf(value: Json): Asset {
  if (!isWhole(value.id) || !isText(value.kind)) throw unreadable("asset");
  return { id: value.id, name: isText(value.name) ? value.name : "", kind: value.kind };
}
