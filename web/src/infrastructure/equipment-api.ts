import type { EquipmentGateway } from "@/application/people-ports";
import type { AssetNode, DeviceSettings, Edge, EdgeKey, LocalConfiguration, NewEdgeKey } from "@/domain/site-settings";
import { instant } from "@/domain/when";
import { bodyOf, everyPage, type Client } from "./client";
import type { Schemas } from "./wire";

const DEFAULT_INTERVAL_S = 5;

export class EquipmentApi implements EquipmentGateway {
  constructor(private readonly client: Client) {}

  async edges(site: number): Promise<Edge[]> {
    return (await everyPage((page) => this.client.GET("/api/edges", { params: { query: { ...page, site } } }))).map(edgeOf);
  }

  async createEdge(site: number, { name, pollInterval }: { name: string; pollInterval: number }): Promise<void> {
    await this.client.POST("/api/edges", { body: { site, name, poll_interval: pollInterval } });
  }

  async changeEdge(id: number, { name, pollInterval }: { name: string; pollInterval: number }): Promise<void> {
    await this.client.PATCH("/api/edges/{id}", { params: { path: { id } }, body: { name, poll_interval: pollInterval } });
  }

  async configureEdge(id: number, local: LocalConfiguration): Promise<void> {
    // As somebody wrote it: what it may say is the server's to know.
    const body = local as Pick<Schemas["PatchedEdgeRequest"], "rules" | "derived" | "reporting">;
    await this.client.PATCH("/api/edges/{id}", { params: { path: { id } }, body });
  }

  async removeEdge(id: number): Promise<void> {
    await this.client.DELETE("/api/edges/{id}", { params: { path: { id } } });
  }

  async keys(edge: number): Promise<EdgeKey[]> {
    return (await bodyOf(this.client.GET("/api/edges/{id}/keys", { params: { path: { id: edge } } }))).results.map(keyOf);
  }

  async createKey(edge: number): Promise<NewEdgeKey> {
    const made = await bodyOf(this.client.POST("/api/edges/{id}/keys", { params: { path: { id: edge } } }));
    return { ...keyOf(made), key: made.key };
  }

  async revokeKey(id: number): Promise<void> {
    await this.client.DELETE("/api/edge-keys/{id}", { params: { path: { id } } });
  }

  async devices(site: number): Promise<DeviceSettings[]> {
    return (await everyPage((page) => this.client.GET("/api/devices", { params: { query: { ...page, site } } }))).map(deviceOf);
  }

  async saveDevice(device: Omit<DeviceSettings, "id">, id: number | null): Promise<void> {
    const { edge, asset, name, profile, pollInterval } = device;
    const driver = device.driver as Schemas["DriverEnum"];
    const body = { edge, asset, name, driver, profile, connection: { ...device.connection }, poll_interval: pollInterval };
    if (id === null) await this.client.POST("/api/devices", { body: { ...body, key: device.key } });
    else await this.client.PATCH("/api/devices/{id}", { params: { path: { id } }, body });
  }

  async removeDevice(id: number): Promise<void> {
    await this.client.DELETE("/api/devices/{id}", { params: { path: { id } } });
  }

  async assets(site: number): Promise<AssetNode[]> {
    const { results } = await bodyOf(this.client.GET("/api/sites/{site_id}/assets", { params: { path: { site_id: site } } }));
    return results.map(({ id, name, kind, parent }) => ({ id, name, kind, parent: parent ?? null }));
  }

  async saveAsset(site: number, asset: Omit<AssetNode, "id">, id: number | null): Promise<void> {
    const body = { name: asset.name, kind: asset.kind as Schemas["AssetKindEnum"], parent: asset.parent };
    if (id === null) await this.client.POST("/api/assets", { body: { ...body, site } });
    else await this.client.PATCH("/api/assets/{id}", { params: { path: { id } }, body });
  }

  async removeAsset(id: number): Promise<void> {
    await this.client.DELETE("/api/assets/{id}", { params: { path: { id } } });
  }
}

function edgeOf({ id, edge, name, poll_interval, software, last_session, ...local }: Schemas["Edge"]): Edge {
  return {
    id, name, software,
    wire: edge,
    pollInterval: poll_interval ?? DEFAULT_INTERVAL_S,
    lastSession: last_session === null ? null : instant(last_session),
    local: { rules: local.rules ?? [], derived: local.derived ?? [], reporting: local.reporting ?? [] },
  };
}

function keyOf({ id, prefix, created, last_used, revoked }: Schemas["EdgeKey"]): EdgeKey {
  return {
    id, prefix,
    created: instant(created),
    lastUsed: last_used === null ? null : instant(last_used),
    revoked: revoked === null ? null : instant(revoked),
  };
}

function deviceOf({ id, edge, asset, key, name, driver, profile, connection, poll_interval }: Schemas["Device"]): DeviceSettings {
  return { id, edge, key, name, driver, profile, asset: asset ?? null, connection: connection ?? {}, pollInterval: poll_interval ?? null };
}
