import type { Surroundings } from "@/application/ports";

const NARROW = "(max-width: 640px)";
const COARSE = "(pointer: coarse)";

/** Chromium's Network Information; the other browsers do not tell. */
interface Connection extends EventTarget {
  readonly saveData?: boolean;
}

export const browserSurroundings: Surroundings = {
  watch(listener) {
    const { connection } = navigator as Navigator & { readonly connection?: Connection };
    const media = [NARROW, COARSE].map((query) => window.matchMedia(query));
    const isHidden = () => document.visibilityState === "hidden";
    const online = () => {
      listener.online(navigator.onLine);
    };
    const circumstances = () => {
      const phone = media.some((query) => query.matches);
      listener.circumstances({ phone, saveData: connection?.saveData === true, hidden: isHidden() });
    };
    const visibility = () => {
      if (!isHidden()) listener.woken();
      circumstances();
    };
    const sources: readonly (readonly [EventTarget | undefined, string, () => void])[] = [
      [window, "online", online],
      [window, "offline", online],
      [document, "visibilitychange", visibility],
      [connection, "change", circumstances],
      ...media.map((query) => [query, "change", circumstances] as const),
    ];
    for (const [source, event, tell] of sources) source?.addEventListener(event, tell);
    online();
    circumstances();
    return () => {
      for (const [source, event, tell] of sources) source?.removeEventListener(event, tell);
    };
  },
};
