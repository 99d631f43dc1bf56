import { siteConnection } from "@/domain/link/connection";
import { reduce } from "@/domain/link/reducer";
import { INITIAL, type LinkEffect, type LinkEvent, type LinkState } from "@/domain/link/state";
import { batch } from "./batches";

export const SITE = "site_7";
export const START = 1_790_000_000_000;
const HEARTBEAT = 5_000;

/** A link that is driven by hand: what it was told, and what it wanted done. */
export class Drive {
  state: LinkState = INITIAL;
  effects: LinkEffect[] = [];
  now = START;

  tell(event: LinkEvent, random = 0.5): this {
    const step = reduce(this.state, event, this.now, random);
    this.state = step.state;
    this.effects = [...step.effects];
    return this;
  }

  hear(frame: object): this {
    return this.tell({ type: "message", text: JSON.stringify(frame) });
  }

  /** Half a second at a time, as the socket's timer does. Returns everything that was wanted meanwhile. */
  wait(ms: number): LinkEffect[] {
    const wanted: LinkEffect[] = [];
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 500;
      wanted.push(...this.tell({ type: "tick" }).effects);
    }
    return wanted;
  }

  open(): this {
    this.tell({ type: "watch", sites: [SITE] }).tell({ type: "token", token: "first" }).tell({ type: "opened" });
    return this.welcome();
  }

  welcome(lifetime = 300_000): this {
    return this.hear({ type: "welcome", session: "s", server_time: this.now, expires: this.now + lifetime, heartbeat: HEARTBEAT, sites: [] });
  }

  follow(seq = 10): this {
    return this.open().hear({ type: "snapshot", site: SITE, batches: [batch(seq, this.now - 100)] });
  }

  get wants(): string[] {
    return this.effects.map((effect) => (effect.type === "send" ? effect.frame.type : effect.type));
  }

  get seen(): string {
    return siteConnection(this.state, SITE, this.now).status;
  }
}
