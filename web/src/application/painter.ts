import type { Clock } from "./ports";

const INTERVAL_MS = 500;

/**
 * At most two repaints a second for each figure, and the first change at once: a figure that was quiet is painted in
 * the same turn in which it changed, one that keeps changing waits for its next half second.
 */
export class Painter {
  private readonly paintedAt = new Map<string, number>();
  private readonly due = new Set<string>();
  private timer: (() => void) | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly paint: (keys: readonly string[]) => void,
    private readonly interval = INTERVAL_MS,
  ) {}

  changed(keys: Iterable<string>): void {
    const now = this.clock.now();
    const ready: string[] = [];
    for (const key of keys) {
      if (now - (this.paintedAt.get(key) ?? -Infinity) >= this.interval) ready.push(key);
      else this.due.add(key);
    }
    this.flush(ready, now);
    this.arm(now);
  }

  /** Forget everything, for a new session. */
  clear(): void {
    this.timer?.();
    this.timer = null;
    this.due.clear();
    this.paintedAt.clear();
  }

  private flush(keys: readonly string[], now: number): void {
    if (keys.length === 0) return;
    for (const key of keys) {
      this.paintedAt.set(key, now);
      this.due.delete(key);
    }
    this.paint(keys);
  }

  private arm(now: number): void {
    this.timer?.();
    this.timer = null;
    if (this.due.size === 0) return;
    const next = Math.min(...[...this.due].map((key) => (this.paintedAt.get(key) ?? 0) + this.interval));
    this.timer = this.clock.after(Math.max(0, next - now), () => {
      this.timer = null;
      const then = this.clock.now();
      this.flush([...this.due].filter((key) => then - (this.paintedAt.get(key) ?? 0) >= this.interval), then);
      this.arm(then);
    });
  }
}
