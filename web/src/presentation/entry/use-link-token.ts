import { useSyncExternalStore } from "react";
import { linkToken } from "@/domain/link-token";

let taken: { readonly path: string; readonly token: string } | null = null;

/**
 * The one-time token of a link is in the fragment, which browsers never send; it leaves the address bar at once, so
 * that it is in no history and no screenshot. A reload of the page has none.
 */
function take(): string {
  const path = window.location.pathname;
  if (taken?.path !== path || window.location.hash !== "") {
    taken = { path, token: linkToken(window.location.hash) };
    window.history.replaceState(window.history.state, "", path + window.location.search);
  }
  return taken.token;
}

function onChange(listener: () => void): () => void {
  // Someone may paste a second link into the address bar of this very page.
  window.addEventListener("hashchange", listener);
  return () => {
    window.removeEventListener("hashchange", listener);
  };
}

/** null while rendering on the server; empty where the address has none. */
export function useLinkToken(): string | null {
  return useSyncExternalStore(onChange, take, () => null);
}
