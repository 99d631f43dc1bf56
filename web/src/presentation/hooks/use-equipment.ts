import useSWR, { type SWRResponse } from "swr";
import type { AssetNode, DeviceSettings, Edge, EdgeKey } from "@/domain/site-settings";
import { useServices } from "@/presentation/services";
import { OPTIONS } from "./use-data";

export function useEdges(site: number): SWRResponse<Edge[], unknown> {
  const { equipment } = useServices();
  return useSWR(["edges", site], () => equipment.edges(site), OPTIONS);
}

export function useEdgeKeys(edge: number): SWRResponse<EdgeKey[], unknown> {
  const { equipment } = useServices();
  return useSWR(["edge-keys", edge], () => equipment.keys(edge), OPTIONS);
}

export function useDevices(site: number): SWRResponse<DeviceSettings[], unknown> {
  const { equipment } = useServices();
  return useSWR(["devices", site], () => equipment.devices(site), OPTIONS);
}

export function useAssets(site: number): SWRResponse<AssetNode[], unknown> {
  const { equipment } = useServices();
  return useSWR(["assets", site], () => equipment.assets(site), OPTIONS);
}
