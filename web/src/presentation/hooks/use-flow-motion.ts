import { useEffect, type RefObject } from "react";
import { useMedia } from "./use-media";

const FRAME_MS = 66;
/** The distance between two dots, as in the style sheet's dash pattern. */
const PERIOD = 20;

/**
 * Moves the dots of a flow picture: each path with `data-speed` (units of the drawing per second). A style sheet's
 * animation would repaint sixty times a second; at their speed fifteen look the same, and the page is open for eight hours.
 */
export function useFlowMotion(picture: RefObject<SVGSVGElement | null>, on: boolean): void {
  const still = useMedia("(prefers-reduced-motion: reduce)");
  useEffect(() => {
    if (!on || still) return undefined;
    let last = performance.now();
    const gone = new WeakMap<SVGPathElement, number>();
    const timer = setInterval(() => {
      const now = performance.now();
      const seconds = Math.min(now - last, 1_000) / 1_000;
      last = now;
      if (document.hidden) return;
      for (const dots of picture.current?.querySelectorAll<SVGPathElement>("[data-speed]") ?? []) {
        // Summed up, so that a change of speed does not make the dots jump.
        const way = ((gone.get(dots) ?? 0) + seconds * Number(dots.dataset.speed)) % PERIOD;
        gone.set(dots, way);
        dots.style.strokeDashoffset = String(-way);
      }
    }, FRAME_MS);
    return () => {
      clearInterval(timer);
    };
  }, [picture, on, still]);
}
