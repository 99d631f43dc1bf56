import { useCallback, useSyncExternalStore } from "react";
import type { Connection } from "@/domain/link/connection";
import { useServices } from "@/presentation/services";

const CONNECTING: Connection = { status: "reconnecting", cause: "connecting", grantStale: false, interval: 0 };

/** The page's connection; null while nothing is followed. With a site: that site's. */
export function usePageConnection(): Connection | null {
  const { link } = useServices();
  return useSyncExternalStore(link.subscribe, link.page, () => null);
}

export function useSiteConnection(site: string): Connection {
  const { link } = useServices();
  const read = useCallback(() => link.site(site), [link, site]);
  return useSyncExternalStore(link.subscribe, read, () => CONNECTING);
}
