import { useSyncExternalStore } from "react";

/** One clock for all ages on the page: it ticks once a second and only while someone reads it. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;
let now = 0;

/** Told once a second, together with everyone else who reads this clock. */
export function everySecond(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === null) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const each of listeners) each();
    }, 1_000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

/** What the clock shows, ms since the epoch by this browser, to the second. */
export function readNow(): number {
  if (now === 0) now = Date.now();
  return now;
}

/** ms since the epoch by this browser, to the second; 0 while rendering on the server. */
export function useNow(): number {
  return useSyncExternalStore(everySecond, readNow, () => 0);
}
