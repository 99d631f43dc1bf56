import { useSyncExternalStore } from "react";
import type { SessionState } from "@/application/session";
import { useServices } from "@/presentation/services";

const UNKNOWN: SessionState = { status: "unknown" };

export function useSession(): SessionState {
  const { session } = useServices();
  return useSyncExternalStore(session.subscribe, session.state, () => UNKNOWN);
}
