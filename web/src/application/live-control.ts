import type { CommandEvent, ControlEvent } from "@/domain/messages";
import { Listeners } from "./listeners";

const MOST = 200;

/** What the live link told of a site's commands and rules, the newest first; the same array while nothing new came. */
export interface Told {
  readonly commands: readonly CommandEvent[];
  readonly rules: readonly ControlEvent[];
}

const NOTHING: Told = { commands: [], rules: [] };

/** Kept beside what is fetched, and never written into it: a fetch under way neither hides an event nor is hidden by one. */
export class LiveControl {
  private readonly sites = new Map<string, { told: Told; readonly listeners: Listeners }>();

  read(site: string): Told {
    return this.sites.get(site)?.told ?? NOTHING;
  }

  subscribe(site: string, listener: () => void): () => void {
    return this.site(site).listeners.add(listener);
  }

  tellCommand(site: string, event: CommandEvent): void {
    this.tell(site, (told) => ({ ...told, commands: [event, ...told.commands].slice(0, MOST) }));
  }

  tellRule(site: string, event: ControlEvent): void {
    this.tell(site, (told) => ({ ...told, rules: [event, ...told.rules].slice(0, MOST) }));
  }

  /** For another person at this screen. */
  clear(): void {
    for (const site of this.sites.keys()) this.tell(site, () => NOTHING);
  }

  private tell(name: string, change: (told: Told) => Told): void {
    const site = this.site(name);
    site.told = change(site.told);
    site.listeners.tell();
  }

  private site(name: string) {
    let site = this.sites.get(name);
    if (!site) {
      site = { told: NOTHING, listeners: new Listeners() };
      this.sites.set(name, site);
    }
    return site;
  }
}
