/** What can be changed about a site by those who may. */
export interface SiteChange {
  readonly name: string;
  readonly timezone: string;
  readonly address: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly operatorsMayControl: boolean;
}

/** The controller on a site. `wire` is its name in channels: `edge_3`. `pollInterval` in s, `lastSession` in ms. */
export interface Edge {
  readonly id: number;
  readonly wire: string;
  readonly name: string;
  readonly pollInterval: number;
  readonly software: string;
  readonly lastSession: number | null;
  readonly local: LocalConfiguration;
}

/** What an edge computes, sends and controls by itself; as it is written, since the server checks it. */
export interface LocalConfiguration {
  readonly rules: readonly unknown[];
  readonly derived: readonly unknown[];
  readonly reporting: readonly unknown[];
}

/** A list for a text field: an entry on each line. */
export function listText(list: readonly unknown[]): string {
  return list.length === 0 ? "" : `[\n${list.map((entry) => `  ${JSON.stringify(entry)}`).join(",\n")}\n]`;
}

/** The list that somebody typed; empty text is an empty list, null where it is none. */
export function listOf(text: string): readonly unknown[] | null {
  if (text.trim() === "") return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as readonly unknown[]) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** One of an edge's API keys; at most two live at once, so that one can be exchanged without a gap. */
export interface EdgeKey {
  readonly id: number;
  readonly prefix: string;
  readonly created: number;
  readonly lastUsed: number | null;
  readonly revoked: number | null;
}

/** The key itself, at the only time that it is shown. */
export interface NewEdgeKey extends EdgeKey {
  readonly key: string;
}

export const MOST_KEYS = 2;

/** A node of the site's tree. */
export interface AssetNode {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly parent: number | null;
}

export const ASSET_KINDS = ["building", "grid_connection", "solar_array", "battery", "hvac", "load", "meter", "system"] as const;

/** How edges reach their devices; `connection` is what a new one begins with, `profile` one that comes with the edge. */
export const DRIVERS = [
  { value: "modbus", label: "Modbus", connection: { host: "", port: 502, unit: 1 }, profile: "eastron_sdm630" },
  { value: "sunspec", label: "SunSpec", connection: { host: "", port: 502, unit: 1 }, profile: "sunspec_inverter" },
  { value: "bacnet", label: "BACnet/IP", connection: { address: "" }, profile: "bacnet_ahu" },
  { value: "mqtt", label: "MQTT", connection: { host: "", port: 1883, username: "", password: "", base: "" }, profile: "shelly_pro_3em" },
] as const;

export function driverOf(value: string): (typeof DRIVERS)[number] {
  return DRIVERS.find((driver) => driver.value === value) ?? DRIVERS[0];
}

/** An addressable endpoint that an edge reads. `pollInterval` in s; null: as its edge. */
export interface DeviceSettings {
  readonly id: number;
  readonly edge: number;
  readonly asset: number | null;
  readonly key: string;
  readonly name: string;
  readonly driver: string;
  readonly profile: string;
  readonly connection: Readonly<Record<string, unknown>>;
  readonly pollInterval: number | null;
}

/** The tree as lines, each with how deep it is; a node whose parent is not there stands at the top. */
export function treeLines(assets: readonly AssetNode[]): { asset: AssetNode; depth: number }[] {
  const known = new Set(assets.map((asset) => asset.id));
  const lines: { asset: AssetNode; depth: number }[] = [];
  const visit = (parent: number | null, depth: number) => {
    for (const asset of assets) {
      const above = asset.parent !== null && known.has(asset.parent) ? asset.parent : null;
      if (above !== parent) continue;
      lines.push({ asset, depth });
      visit(asset.id, depth + 1);
    }
  };
  visit(null, 0);
  return lines;
}

/** For an input: on one line, with spaces to read by. */
export function connectionText(connection: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(connection, null, 1).replaceAll(/\n\s*/g, " ");
}

/** `{"host": "10.0.0.5", "port": 502}` from what somebody typed; null where it is no object. */
export function connectionOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
