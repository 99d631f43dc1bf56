import { useCallback, useSyncExternalStore } from "react";
import type { LivePoint } from "@/application/live-points";
import { useServices } from "@/presentation/services";

/** The newest sample of one point; null before the first. */
export function useLivePoint(site: string, key: string): LivePoint | null {
  const { points } = useServices();
  const subscribe = useCallback((listener: () => void) => points.subscribe(site, [key], listener), [points, site, key]);
  const read = useCallback(() => points.read(site, key), [points, site, key]);
  return useSyncExternalStore(subscribe, read, () => null);
}

/**
 * The sum of several points, such as the inverters of a site: undefined where there is none to sum, null while any of
 * them is not known.
 */
export function useLiveSum(site: string, keys: readonly string[]): number | null | undefined {
  const { points } = useServices();
  const joined = keys.join(" ");
  const subscribe = useCallback(
    (listener: () => void) => points.subscribe(site, split(joined), listener),
    [points, site, joined],
  );
  const read = useCallback(() => {
    const values = split(joined).map((key) => points.read(site, key)?.value ?? null);
    if (values.length === 0) return undefined;
    return values.some((value) => value === null) ? null : values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  }, [points, site, joined]);
  return useSyncExternalStore(subscribe, read, () => undefined);
}

function split(joined: string): string[] {
  return joined === "" ? [] : joined.split(" ");
}
