import type { Hole } from "@/domain/link/site-stream";
import { Problem } from "@/domain/problem";
import { siteIdOf } from "@/domain/site";
import type { LiveTraces } from "./live-traces";
import type { Clock, HistoryGateway } from "./ports";

/**
 * When to ask history for what was missed: at least so many ms after it is known, and a random part of so many more.
 * History is a moment behind the live values, and further behind after an outage, so it is asked again; at random,
 * because everyone who lost the same service would otherwise ask at once.
 */
const TRIES: readonly { readonly least: number; readonly spread: number }[] = [
  { least: 1_500, spread: 4_000 },
  { least: 8_000, spread: 12_000 },
  { least: 45_000, spread: 30_000 },
];

/** Live frames were missed: the chart shows the span as pending until history has answered. */
export class FillHoles {
  /** Raised when everything is forgotten: what is under way for an earlier session then ends. */
  private generation = 0;

  constructor(
    private readonly traces: LiveTraces,
    private readonly history: HistoryGateway,
    private readonly clock: Clock,
  ) {}

  /** The service said that frames may be missing; the snapshot that follows will tell until when. */
  expect(site: string, since: number): void {
    this.traces.addPending(site, { from: since, to: since });
  }

  fill(site: string, hole: Hole): void {
    this.traces.addPending(site, hole);
    this.schedule(site, hole, 0, this.generation);
  }

  clear(): void {
    this.generation += 1;
  }

  private schedule(site: string, hole: Hole, attempt: number, generation: number): void {
    const wait = TRIES[attempt];
    if (wait === undefined) return;
    this.clock.after(wait.least + this.clock.random() * wait.spread, () => {
      if (generation === this.generation) void this.fetch(site, hole, attempt, generation);
    });
  }

  private async fetch(site: string, hole: Hole, attempt: number, generation: number): Promise<void> {
    const last = attempt + 1 === TRIES.length;
    const answered = await this.ask(site, hole);
    if (generation !== this.generation) return;
    // From the first answer on the line shows what there is; what stays empty is drawn as a gap.
    if (answered || last) this.traces.dropPending(site, hole);
    this.schedule(site, hole, attempt + 1, generation);
  }

  private async ask(site: string, hole: Hole): Promise<boolean> {
    const keys = this.traces.wanted(site);
    if (keys.length === 0) return true;
    try {
      const query = { siteId: siteIdOf(site), keys, from: hole.from, to: hole.to + 1, raw: true, points: 0 };
      this.traces.backfill(site, await this.history.history(query));
      return true;
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
  }
}
