import useSWR, { useSWRConfig } from "swr";
import { powerKeys, type PowerKeys } from "@/domain/energy";
import { Problem } from "@/domain/problem";
import type { Point, Site } from "@/domain/site";
import { useServices } from "@/presentation/services";

export interface SiteKeys {
  readonly power: PowerKeys;
  readonly charge: readonly string[];
}

/** The points that stand for each site in a list. A site whose points cannot be had is left out. */
export function useAllPoints(list: readonly Site[]): ReadonlyMap<number, SiteKeys> | undefined {
  const { sites } = useServices();
  const { mutate } = useSWRConfig();
  const ids = list.map((site) => site.id);
  const { data } = useSWR<Map<number, SiteKeys>, unknown>(
    ids.length === 0 ? null : ["all-points", ...ids],
    async () => {
      const found = await Promise.all(
        ids.map(async (id) => {
          try {
            const points = await sites.points(id);
            // The site's own page then needs no request of its own.
            void mutate(["points", id], points, { revalidate: false });
            return [id, keysOf(points)] as const;
          } catch (error) {
            if (error instanceof Problem) return null;
            throw error;
          }
        }),
      );
      return new Map(found.filter((entry) => entry !== null));
    },
    { dedupingInterval: 60_000, revalidateOnFocus: false, refreshInterval: 300_000 },
  );
  return data;
}

export function keysOf(points: readonly Point[]): SiteKeys {
  return { power: powerKeys(points), charge: points.filter((point) => point.key.endsWith(".state_of_charge")).map((point) => point.key) };
}
