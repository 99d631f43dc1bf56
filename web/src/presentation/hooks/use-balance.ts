import { useMemo } from "react";
import type { Balance, PowerKeys, Role } from "@/domain/energy";
import { ROLES } from "@/domain/energy";
import { useLiveSum } from "./use-live-point";

/** The power of each part of a site now; parts that the site lacks are absent. */
export function useBalance(site: string, keys: PowerKeys): Balance {
  const grid = useLiveSum(site, keys.grid);
  const pv = useLiveSum(site, keys.pv);
  const battery = useLiveSum(site, keys.battery);
  const load = useLiveSum(site, keys.load);
  const hvac = useLiveSum(site, keys.hvac);
  return useMemo(() => {
    const all: Record<Role, number | null | undefined> = { grid, pv, battery, load, hvac };
    const present: Partial<Record<Role, number | null>> = {};
    for (const role of ROLES) {
      const power = all[role];
      if (power !== undefined) present[role] = power;
    }
    return present;
  }, [grid, pv, battery, load, hvac]);
}
