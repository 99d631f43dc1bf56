import { roleOf, type Role } from "./energy";
import type { Point } from "./site";

/** A device as its card shows it: one figure large, the rest as rows, phases side by side. */
export interface DeviceTiles {
  readonly key: string;
  readonly name: string;
  readonly role: Role | null;
  readonly main: Point | null;
  readonly state: Point | null;
  readonly rows: readonly TileRow[];
}

export interface TileRow {
  readonly label: string;
  readonly points: readonly Point[];
}

const ORDER: readonly (Role | null)[] = ["grid", "pv", "battery", "load", "hvac", null];
const PHASE = /^(.*)_l([123])$/;

/** Points under their devices, in the order of the energy: grid, PV, battery, load, HVAC, the rest. */
export function devicesOf(points: readonly Point[]): DeviceTiles[] {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const key = point.device?.key ?? point.key.split(".", 1)[0] ?? "";
    const group = groups.get(key);
    if (group) group.push(point);
    else groups.set(key, [point]);
  }
  return [...groups]
    .map(([key, own]) => tilesOf(key, own))
    .sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || a.name.localeCompare(b.name));
}

function tilesOf(key: string, points: readonly Point[]): DeviceTiles {
  const [first] = points;
  const main = points.find((point) => point.key.endsWith(".active_power")) ?? points.find((point) => point.kind === "gauge") ?? null;
  const state = points.find((point) => point.kind === "state") ?? null;
  const rest = points.filter((point) => point !== main && point !== state);
  const gauges = rest.filter((point) => point.kind !== "register");
  const registers = rest.filter((point) => point.kind === "register");
  return {
    key,
    name: first?.device?.name ?? key.replaceAll("_", " "),
    role: first ? roleOf(first) : null,
    main,
    state,
    // Energy before counters that only count reads.
    rows: rowsOf([...gauges, ...registers.filter((point) => point.unit !== ""), ...registers.filter((point) => point.unit === "")]),
  };
}

function rowsOf(points: readonly Point[]): TileRow[] {
  const rows: { label: string; stem: string | null; points: Point[] }[] = [];
  for (const point of points) {
    const stem = PHASE.exec(point.key)?.[1] ?? null;
    const phases = stem === null ? undefined : rows.find((row) => row.stem === stem);
    if (phases) phases.points.push(point);
    else rows.push({ label: stem === null ? point.name : point.name.replace(/[\s_,]*L?[123]$/i, "").trim() || point.name, stem, points: [point] });
  }
  return rows.map(({ label, points: own }) => ({ label, points: own }));
}
