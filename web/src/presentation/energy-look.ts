import { BatteryMedium, Building2, Fan, Sun, UtilityPole, type LucideIcon } from "lucide-react";
import type { Role } from "@/domain/energy";

/** The fixed colour and icon of each part of a site, the same in both themes and in every chart. */
export interface EnergyLook {
  readonly label: string;
  readonly color: string;
  readonly icon: LucideIcon;
}

export const ENERGY: Readonly<Record<Role, EnergyLook>> = {
  grid: { label: "Grid", color: "var(--grid-import)", icon: UtilityPole },
  pv: { label: "PV", color: "var(--pv)", icon: Sun },
  battery: { label: "Battery", color: "var(--battery)", icon: BatteryMedium },
  load: { label: "Building", color: "var(--load)", icon: Building2 },
  hvac: { label: "HVAC", color: "var(--hvac)", icon: Fan },
};

/** Grid has two colours: what is drawn and what is fed in. */
export function gridColor(power: number | null | undefined): string {
  return (power ?? 0) < 0 ? "var(--grid-export)" : "var(--grid-import)";
}
