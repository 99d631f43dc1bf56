import type { AuditGateway, AuditPage, ExportFormat } from "@/application/people-ports";
import type { AuditEntry, AuditFilter } from "@/domain/audit";
import { Problem } from "@/domain/problem";
import { instant } from "@/domain/when";
import { bodyOf, type Client } from "./client";
import type { Schemas } from "./wire";

const PAGE_SIZE = 50;

export class AuditApi implements AuditGateway {
  constructor(private readonly client: Client) {}

  async entries(organization: number, filter: AuditFilter, place: string | null): Promise<AuditPage> {
    const query = { ...queryOf(organization, filter), page_size: PAGE_SIZE, ...(place === null ? {} : { page: place }) };
    const { results, count, next } = await bodyOf(this.client.GET("/api/audit", { params: { query } }));
    return { entries: results.map(entryOf), count, older: placeOf(next) };
  }

  async export(organization: number, filter: AuditFilter, format: ExportFormat): Promise<Blob> {
    const query = { ...queryOf(organization, filter), format };
    const { data } = await this.client.GET("/api/audit/export", { params: { query }, parseAs: "blob" });
    if (!(data instanceof Blob)) throw new Problem("failed", "The server's answer holds no file.");
    return data;
  }
}

/** Only what was chosen: an empty parameter would be one more thing to match. */
function queryOf(organization: number, { from, to, actor, action, outcome, site, search }: AuditFilter) {
  return {
    organization,
    ...(from === null ? {} : { from: new Date(from).toISOString() }),
    ...(to === null ? {} : { to: new Date(to).toISOString() }),
    ...(actor === "" ? {} : { actor }),
    ...(action === "" ? {} : { action }),
    ...(outcome === "" ? {} : { outcome }),
    ...(site === null ? {} : { site }),
    ...(search === "" ? {} : { search }),
  };
}

/** A page is a place in the log, and the address of the next one has it, with or without a host. */
export function placeOf(next: string | null): string | null {
  return next === null ? null : new URL(next, "http://backend").searchParams.get("page");
}

function entryOf({ id, at, action, outcome, actor, site, target, address, request_id, before, after, details }: Schemas["Event"]): AuditEntry {
  return {
    id, action, actor, site, target, before, after, details,
    at: instant(at ?? ""),
    outcome: outcome ?? "done",
    address: address ?? "",
    requestId: request_id ?? "",
  };
}
