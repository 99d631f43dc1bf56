import { useEffect } from "react";
import { useServices } from "@/presentation/services";

/** Follow these sites live while the component is on the page. */
export function useWatch(sites: readonly string[]): void {
  const { watch } = useServices();
  const joined = [...sites].sort().join(" ");
  useEffect(() => (joined === "" ? undefined : watch.watch(joined.split(" "))), [watch, joined]);
}
