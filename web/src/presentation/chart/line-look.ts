import { roleOf } from "@/domain/energy";
import type { Point } from "@/domain/site";
import { ENERGY } from "@/presentation/energy-look";

/** How a point is drawn. Lines differ by dashes as well as by colour. */
export interface LineLook {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  readonly dash: string | undefined;
}

const OTHERS = ["var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-1)"] as const;
const DASHES = [undefined, "6 3", "2 3", "8 3 2 3"] as const;

/** Powers keep their fixed energy colour; what else is drawn takes the next free colour, then other dashes. */
export function lineLooks(points: readonly Point[]): ReadonlyMap<string, LineLook> {
  const looks = new Map<string, LineLook>();
  const taken = new Map<string, number>();
  let other = 0;
  for (const point of points) {
    const role = point.key.endsWith(".active_power") || point.key.endsWith(".state_of_charge") ? roleOf(point) : null;
    const color = role ? ENERGY[role].color : (OTHERS[other++ % OTHERS.length] ?? OTHERS[0]);
    const before = taken.get(color) ?? 0;
    taken.set(color, before + 1);
    looks.set(point.key, { key: point.key, label: labelOf(point), color, dash: DASHES[before % DASHES.length] });
  }
  return looks;
}

/** "Grid meter · Voltage L1"; a device's power carries the device's name alone. */
export function labelOf(point: Point): string {
  if (!point.device) return point.name;
  return point.key.endsWith(".active_power") ? point.device.name : `${point.device.name} · ${point.name}`;
}
