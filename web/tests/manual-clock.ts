import type { Clock } from "@/application/ports";

/** A clock that stands still until it is told to go on; timers fire in order, at their own time. */
export class ManualClock implements Clock {
  private time = 1_000_000;
  private next = 1;
  private readonly timers = new Map<number, { at: number; task: () => void }>();
  dice = 0.5;

  now(): number {
    return this.time;
  }

  random(): number {
    return this.dice;
  }

  after(ms: number, task: () => void): () => void {
    const id = this.next++;
    this.timers.set(id, { at: this.time + ms, task });
    return () => {
      this.timers.delete(id);
    };
  }

  /** Let so many ms pass, and what promises wait for with them. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settled();
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].task();
    }
    this.time = end;
    await settled();
  }
}

/** Until every promise that is ready has run. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
