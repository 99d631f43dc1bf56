import useSWR, { type SWRResponse } from "swr";
import { Problem } from "@/domain/problem";
import type { OwnOrganization, Point, Site } from "@/domain/site";
import { useServices } from "@/presentation/services";

/** What does not exist or is not allowed will not be so a second later. */
function worthRetrying(error: unknown): boolean {
  return !(error instanceof Problem) || !["not_found", "forbidden", "signed_out", "invalid"].includes(error.kind);
}

export const OPTIONS = { shouldRetryOnError: worthRetrying, errorRetryInterval: 4_000, keepPreviousData: false } as const;

/** Someone without a site has no live link that could tell of the first one, so the list is asked for again. */
const NOTHING_YET_MS = 10_000;

export function useSites(): SWRResponse<Site[], unknown> {
  const { sites } = useServices();
  return useSWR<Site[], unknown>("sites", () => sites.sites(), {
    ...OPTIONS, dedupingInterval: 10_000, refreshInterval: (known) => (known?.length === 0 ? NOTHING_YET_MS : 0),
  });
}

export function useOrganizations(): SWRResponse<OwnOrganization[], unknown> {
  const { sites } = useServices();
  return useSWR("organizations", () => sites.organizations(), { ...OPTIONS, dedupingInterval: 10_000 });
}

/** The site from the list if it is there, at once; else by itself. A site that is not yours is `not_found`. */
export function useSite(id: number): { site: Site | null; error: unknown; retry: () => void } {
  const { sites } = useServices();
  const list = useSites();
  const listed = list.data?.find((site) => site.id === id) ?? null;
  const alone = useSWR<Site, unknown>(list.data && !listed ? ["site", id] : null, () => sites.site(id), OPTIONS);
  return {
    site: listed ?? alone.data ?? null,
    error: listed ? undefined : (list.error ?? alone.error),
    retry: () => {
      void list.mutate();
      void alone.mutate();
    },
  };
}

export function usePoints(siteId: number | null): SWRResponse<Point[], unknown> {
  const { sites } = useServices();
  return useSWR<Point[], unknown>(
    siteId === null ? null : ["points", siteId],
    () => (siteId === null ? [] : sites.points(siteId)),
    { ...OPTIONS, dedupingInterval: 60_000, revalidateOnFocus: false, refreshInterval: (points) => (points?.length ? 300_000 : 10_000) },
  );
}
