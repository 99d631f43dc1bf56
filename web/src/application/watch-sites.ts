import type { Clock, LiveLink } from "./ports";

/** A site is followed a little longer than it is looked at: a change of page must not cost a new snapshot. */
const LINGER_MS = 8_000;

/** Who looks at which site. The link follows the union. */
export class WatchSites {
  private readonly count = new Map<string, number>();

  constructor(
    private readonly link: LiveLink,
    private readonly clock: Clock,
  ) {}

  /** Follow these sites until the returned function is called. */
  watch(sites: readonly string[]): () => void {
    for (const site of sites) this.count.set(site, (this.count.get(site) ?? 0) + 1);
    this.tell();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.clock.after(LINGER_MS, () => {
        this.release(sites);
      });
    };
  }

  private release(sites: readonly string[]): void {
    for (const site of sites) {
      const left = (this.count.get(site) ?? 1) - 1;
      if (left > 0) this.count.set(site, left);
      else this.count.delete(site);
    }
    this.tell();
  }

  private tell(): void {
    this.link.watch([...this.count.keys()]);
  }
}
