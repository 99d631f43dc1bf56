import type { Point } from "./site";

/** The parts of a site that have fixed colours and icons. */
export type Role = "grid" | "pv" | "battery" | "load" | "hvac";

export const ROLES: readonly Role[] = ["grid", "pv", "battery", "load", "hvac"];

const ROLE_OF_ASSET: Readonly<Record<string, Role>> = {
  grid_connection: "grid",
  solar_array: "pv",
  battery: "battery",
  hvac: "hvac",
  load: "load",
  building: "load",
};

const ROLE_OF_NAME: readonly (readonly [RegExp, Role])[] = [
  [/grid/, "grid"],
  [/pv|solar|inverter/, "pv"],
  [/battery|storage/, "battery"],
  [/hvac|heat|chiller/, "hvac"],
  [/load|consumption|building/, "load"],
];

/** What the point belongs to: by its asset, else by the name of its device; null for what has no fixed colour. */
export function roleOf(point: Pick<Point, "key" | "asset">): Role | null {
  const byAsset = point.asset ? ROLE_OF_ASSET[point.asset.kind] : undefined;
  return byAsset ?? roleOfKey(point.key);
}

/** The same from a bare key, for a frame whose points are not known yet. */
export function roleOfKey(key: string): Role | null {
  const device = key.split(".", 1)[0] ?? key;
  return ROLE_OF_NAME.find(([pattern]) => pattern.test(device))?.[1] ?? null;
}

export type PowerKeys = Readonly<Record<Role, readonly string[]>>;

/** The points whose sum is each role's power. */
export function powerKeys(points: readonly Pick<Point, "key" | "unit" | "kind" | "asset">[]): PowerKeys {
  const keys: Record<Role, string[]> = { grid: [], pv: [], battery: [], load: [], hvac: [] };
  for (const point of points) {
    if (point.unit !== "W" || point.kind !== "gauge" || !point.key.endsWith(".active_power")) continue;
    const role = roleOf(point);
    if (role) keys[role].push(point.key);
  }
  return keys;
}

/** Power of each role in W; null where it is not known, undefined where the site has none. */
export type Balance = Readonly<Partial<Record<Role, number | null>>>;

export type Node = "grid" | "pv" | "battery" | "load";

/** Power in W, always positive, from a source to a sink. */
export interface Flow {
  readonly from: Node;
  readonly to: Node;
  readonly power: number;
}

/** Who feeds whom, in the order in which each source is used up; see `flows`. */
const ORDER: readonly (readonly [Node, Node])[] = [
  ["pv", "load"],
  ["pv", "battery"],
  ["pv", "grid"],
  ["battery", "load"],
  ["battery", "grid"],
  ["grid", "load"],
  ["grid", "battery"],
];

/** Consumption; where no meter measures it, what grid, PV and battery leave. */
export function loadOf(balance: Balance): number | null | undefined {
  if (balance.load !== undefined) return balance.load;
  const parts = [balance.grid, balance.pv, balance.battery].filter((part) => part !== undefined);
  if (parts.length === 0) return undefined;
  return parts.some((part) => part === null) ? null : parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}

/**
 * Split a balance into flows. Everything meets at one bus, so the split is a convention, the usual one: PV serves
 * the building first, then the battery, then the grid; the battery serves the building before the grid. Parts that
 * are not known take no part.
 */
export function flows(balance: Balance): Flow[] {
  const load = loadOf(balance) ?? 0;
  const supply = { pv: balance.pv ?? 0, battery: balance.battery ?? 0, grid: balance.grid ?? 0, load: 0 };
  const demand = { load, battery: -(balance.battery ?? 0), grid: -(balance.grid ?? 0), pv: 0 };
  const found: Flow[] = [];
  for (const [from, to] of ORDER) {
    const power = Math.min(supply[from], demand[to]);
    if (!(power > 0)) continue;
    supply[from] -= power;
    demand[to] -= power;
    found.push({ from, to, power });
  }
  return found;
}

/** Share (0..1) of the building's power that comes from PV and battery now; null while it is not known. */
export function selfSupply(balance: Balance): number | null {
  const load = loadOf(balance);
  if (load === null || load === undefined || load <= 0 || balance.grid === null || balance.grid === undefined) return null;
  const own = flows(balance).reduce((sum, flow) => (flow.to === "load" && flow.from !== "grid" ? sum + flow.power : sum), 0);
  return Math.min(1, own / load);
}
