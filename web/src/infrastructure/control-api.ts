import type { ControlGateway } from "@/application/control-ports";
import type { Command, NewCommand } from "@/domain/command";
import type { ControlChange, DeviceHealth, EdgeStatus } from "@/domain/control";
import { ruleOf, type Rule } from "@/domain/rules";
import { instant } from "@/domain/when";
import { bodyOf, everyPage, type Client } from "./client";
import type { Schemas } from "./wire";

const SHOWN = 100;
const EXPIRES_S = 30;

export class ControlApi implements ControlGateway {
  constructor(private readonly client: Client) {}

  async commands(site: number): Promise<Command[]> {
    const { results } = await bodyOf(this.client.GET("/api/commands", { params: { query: { site, ordering: ["-requested"], page_size: SHOWN } } }));
    return results.map(commandOf);
  }

  async order({ id, site, point, value, lease }: NewCommand): Promise<Command> {
    const body = { id, site, point, value, lease, expires_in: EXPIRES_S };
    return commandOf(await bodyOf(this.client.POST("/api/commands", { body })));
  }

  async changes(site: number): Promise<ControlChange[]> {
    const path = { site_id: site };
    const { results } = await bodyOf(this.client.GET("/api/sites/{site_id}/control-events", { params: { path, query: { page_size: SHOWN } } }));
    return results.map(changeOf);
  }

  async rules(site: number): Promise<Rule[]> {
    const edges = await everyPage((page) => this.client.GET("/api/edges", { params: { query: { ...page, site } } }));
    return edges.flatMap((edge) => edge.rules ?? []).map(ruleOf).filter((rule) => rule !== null);
  }

  async status(edge: number): Promise<EdgeStatus> {
    return statusOf(await bodyOf(this.client.GET("/api/edges/{id}/status", { params: { path: { id: edge } } })));
  }
}

/** Where there is nothing to say the answer has an empty text. */
function worded(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}

function commandOf(row: Schemas["Command"]): Command {
  const { id, point, point_key, state, reason, detail, requested, requested_by, expires, lease_until } = row;
  return {
    id, point, state,
    key: point_key,
    value: row.value ?? null,
    lease: row.lease ?? null,
    reason: worded(reason),
    detail: worded(detail),
    readBack: row.read_back ?? null,
    requested: instant(requested),
    requestedBy: requested_by?.name ?? "someone who is gone",
    expires: instant(expires),
    leaseUntil: lease_until ? instant(lease_until) : null,
  };
}

function changeOf({ id, rule, point, action, value, input, at, detail }: Schemas["ControlEvent"]): ControlChange {
  return { id, rule, action, key: point, value: value ?? null, input: input ?? null, at: instant(at), detail: worded(detail) };
}

function statusOf({ seen, stale, status }: Schemas["EdgeStatus"]): EdgeStatus {
  const problems = [...Object.values(status?.problems ?? {}), status?.config_problem ?? ""].filter((problem) => problem !== "");
  return {
    stale, problems,
    seen: seen === null ? null : instant(seen),
    revision: status?.revision ?? "",
    backlog: status?.backlog ?? 0,
    backlogSize: status?.backlog_size ?? 0,
    oldest: status?.oldest ?? null,
    dropped: status?.dropped ?? 0,
    offset: status?.offset ?? null,
    devices: status?.devices.map(healthOf) ?? [],
  };
}

type Health = NonNullable<Schemas["EdgeStatus"]["status"]>["devices"][number];

function healthOf({ key, points, good, answered, reason, since }: Health): DeviceHealth {
  return { key, points, good, answered: answered ?? null, reason: reason ?? null, since: since ?? null };
}
