import type { SiteGateway } from "@/application/ports";
import type { Action, Kind } from "@/domain/contract.gen";
import { isListOf, isMapOf, isRecord, isText, isWhole } from "@/domain/guards";
import { Problem } from "@/domain/problem";
import type { Asset, Device, Organization, Point, Site } from "@/domain/site";
import { isTimezone } from "@/domain/site-time";
import { getJson, type TokenSource } from "./authorized";
import type { Wire } from "./wire";

const PAGE_SIZE = 500;

export class SiteApi implements SiteGateway {
  constructor(private readonly tokens: TokenSource) {}

  async sites(): Promise<Site[]> {
    return (await this.all("/api/sites")).map(siteOf);
  }

  async site(id: number): Promise<Site> {
    return siteOf(await getJson(this.tokens, `/api/sites/${id}`));
  }

  async points(siteId: number): Promise<Point[]> {
    return pageOf(await getJson(this.tokens, `/api/sites/${siteId}/points`)).items.map(pointOf);
  }

  /** Every page of a list. The answer's own link to the next one names a host that only the web server can reach. */
  private async all(path: string): Promise<unknown[]> {
    const items: unknown[] = [];
    for (let page = 1; ; page += 1) {
      const found = pageOf(await getJson(this.tokens, `${path}?page=${page}&page_size=${PAGE_SIZE}`));
      items.push(...found.items);
      if (!found.more) return items;
    }
  }
}

function unreadable(what: string): Problem {
  return new Problem("failed", `The server's answer holds a ${what} that could not be read.`);
}

function pageOf(value: unknown): { items: unknown[]; more: boolean } {
  if (Array.isArray(value)) return { items: value as unknown[], more: false };
  if (!isRecord(value)) throw unreadable("list");
  const page: Wire<"PaginatedSiteList"> = value;
  if (!Array.isArray(page.results)) throw unreadable("list");
  return { items: page.results as unknown[], more: isText(page.next) };
}

function organizationOf(value: unknown): Organization {
  if (!isRecord(value)) throw unreadable("organization");
  const { id, name }: Wire<"Organization"> = value;
  if (!isWhole(id) || !isText(name)) throw unreadable("organization");
  return { id, name };
}

function siteOf(value: unknown): Site {
  if (!isRecord(value)) throw unreadable("site");
  const { id, site, name, timezone, address, organization, role, actions }: Wire<"Site"> = value;
  if (!isWhole(id) || !isText(site) || !isText(name) || !isText(timezone) || !isListOf(actions, isText)) throw unreadable("site");
  return {
    id,
    wire: site,
    name,
    // A zone that this browser does not know would break every time on the page.
    timezone: isTimezone(timezone) ? timezone : "UTC",
    address: isText(address) ? address : "",
    organization: organizationOf(organization),
    role: isText(role) ? role : "",
    actions: actions as Action[],
  };
}

const KINDS: readonly Kind[] = ["gauge", "register", "state"];

function pointOf(value: unknown): Point {
  if (!isRecord(value)) throw unreadable("point");
  const { key, name, unit, kind, states, device, asset, adopted }: Wire<"Point"> = value;
  if (!isText(key) || !isText(unit)) throw unreadable("point");
  return {
    key,
    name: isText(name) && name ? name : key,
    unit,
    kind: KINDS.find((each) => each === kind) ?? "gauge",
    states: isMapOf(states, isText) ? states : null,
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
