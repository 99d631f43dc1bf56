import { useSyncExternalStore } from "react";

const never = () => () => undefined;

/**
 * False on the server and until this page's script runs. A form that holds a secret stays shut until then: the
 * browser itself would send its fields, and never where we want them.
 */
export function useHydrated(): boolean {
  return useSyncExternalStore(never, () => true, () => false);
}
