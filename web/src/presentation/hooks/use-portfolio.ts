import { useCallback, useMemo, useSyncExternalStore } from "react";
import { loadOf, ROLES, type Role } from "@/domain/energy";
import type { Site } from "@/domain/site";
import { useServices } from "@/presentation/services";
import type { SiteKeys } from "./use-all-points";

/** A sum over sites, and how many of them it misses. */
export interface Total {
  readonly watts: number | null;
  readonly missing: number;
}

interface Part {
  readonly wire: string;
  readonly keys: SiteKeys;
}

/** What one role's power is over all sites that have it; null where none does. */
export function usePortfolioTotal(role: Role, sites: readonly Site[], keys: ReadonlyMap<number, SiteKeys> | undefined): Total | null {
  const { points } = useServices();
  const parts = useMemo(
    () => sites.flatMap((site): Part[] => {
      const own = keys?.get(site.id);
      return own ? [{ wire: site.wire, keys: own }] : [];
    }),
    [sites, keys],
  );
  const subscribe = useCallback(
    (listener: () => void) => {
      const leave = parts.map((part) => points.subscribe(part.wire, ROLES.flatMap((each) => part.keys.power[each]), listener));
      return () => {
        for (const each of leave) each();
      };
    },
    [points, parts],
  );
  // A snapshot must be equal while nothing changed: a text is.
  const read = useCallback(() => {
    let watts = 0;
    let known = 0;
    let missing = 0;
    for (const part of parts) {
      const power = powerOf(role, part, (key) => points.read(part.wire, key)?.value ?? null);
      if (power === undefined) continue;
      if (power === null) missing += 1;
      else {
        known += 1;
        watts += power;
      }
    }
    return known + missing === 0 ? "" : `${known === 0 ? "" : String(watts)} ${missing}`;
  }, [points, parts, role]);
  const text = useSyncExternalStore(subscribe, read, () => "");
  return useMemo(() => {
    if (text === "") return null;
    const [watts = "", missing = "0"] = text.split(" ");
    return { watts: watts === "" ? null : Number(watts), missing: Number(missing) };
  }, [text]);
}

function powerOf(role: Role, part: Part, read: (key: string) => number | null): number | null | undefined {
  const sum = (of: Role): number | null | undefined => {
    const values = part.keys.power[of].map(read);
    if (values.length === 0) return undefined;
    return values.some((value) => value === null) ? null : values.reduce<number>((total, value) => total + (value ?? 0), 0);
  };
  if (role !== "load") return sum(role);
  const balance = Object.fromEntries(
    (["grid", "pv", "battery", "load"] as const).flatMap((each) => {
      const power = sum(each);
      return power === undefined ? [] : [[each, power] as const];
    }),
  );
  return loadOf(balance);
}
