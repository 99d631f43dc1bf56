import { Listeners } from "@/application/listeners";
import type { Clock, LiveLink, Surroundings } from "@/application/ports";
import { pageConnection, sameConnection, siteConnection, type Connection } from "@/domain/link/connection";
import { intervalFor } from "@/domain/link/interval";
import { reduce } from "@/domain/link/reducer";
import type { AnyBatch, Hole } from "@/domain/link/site-stream";
import { INITIAL, type LinkEffect, type LinkEvent, type LinkState } from "@/domain/link/state";
import { encodeClientFrame } from "@/domain/frames";
import type { CommandEvent, ControlEvent } from "@/domain/messages";
import { Problem } from "@/domain/problem";

const SUBPROTOCOL = "ems.v1";
const TICK_MS = 500;
const ABNORMAL_CLOSURE = 1006;

/** Where the link takes its tokens from and puts what it hears. Sites are named as on the wire: `site_7`. */
export interface LiveSocketWiring {
  /** `ws://` or `wss://`, without a query: a token never goes into a URL. */
  readonly url: string;
  readonly clock: Clock;
  /** Without it: always online, always looked at, every batch. */
  readonly surroundings?: Surroundings;
  /**
   * A token with at least `validFor` ms to live; `renew`: not the one given last, which was refused. A rejection is a
   * `Problem`: one of the kind `signed_out` ends the link, after any other it asks again later.
   */
  readonly token: (validFor: number, renew: boolean) => Promise<string>;
  /** A snapshot's batches, then what is new: each in the order of its edge's seq, none twice. */
  readonly onData: (site: string, batches: readonly AnyBatch[]) => void;
  /** Samples of this span were missed live; history has them, or will have them soon. */
  readonly onHole: (site: string, hole: Hole) => void;
  /** Samples after `since`, ms, may have been missed. The `onHole` that follows says until when, if any were. */
  readonly onPending: (site: string, since: number) => void;
  readonly onCommand: (site: string, event: CommandEvent) => void;
  readonly onControl: (site: string, event: ControlEvent) => void;
  /** The grant is another one: sites, roles or actions. */
  readonly onAccessChanged: () => void;
  /** Access has ended; the link stays closed until `stop` and another `watch`. */
  readonly onRevoked: () => void;
}

/**
 * A client of the live service, subprotocol `ems.v1`: one socket for all sites, which is opened by the first `watch` and
 * kept open from then on. Every decision is in `domain/link/reducer.ts`, which is pure; every side effect is here.
 */
export class LiveSocket implements LiveLink {
  private state: LinkState = INITIAL;
  private socket: WebSocket | null = null;
  private stopTicking: (() => void) | null = null;
  private readonly listeners = new Listeners();
  private readonly seen = new Map<string, Connection | null>();

  constructor(private readonly wiring: LiveSocketWiring) {}

  watch(sites: readonly string[]): void {
    if (sites.length > 0) this.startTicking();
    this.dispatch({ type: "watch", sites });
  }

  stop(): void {
    this.stopTicking?.();
    this.stopTicking = null;
    this.dispatch({ type: "stopped" });
  }

  readonly subscribe = (listener: () => void): (() => void) => this.listeners.add(listener);

  readonly page = (): Connection | null => this.same("", pageConnection(this.state, this.wiring.clock.now()));

  site(wire: string): Connection {
    const connection = siteConnection(this.state, wire, this.wiring.clock.now());
    return this.same(wire, connection) ?? connection;
  }

  skew(): number {
    return this.state.skew;
  }

  /** The same object while nothing in it changed, so that a reader repaints only when something did. */
  private same(name: string, next: Connection | null): Connection | null {
    const last = this.seen.get(name) ?? null;
    if (sameConnection(last, next)) return last;
    this.seen.set(name, next);
    return next;
  }

  private dispatch(event: LinkEvent): void {
    const { state, effects } = reduce(this.state, event, this.wiring.clock.now(), this.wiring.clock.random());
    this.state = state;
    for (const effect of effects) this.carryOut(effect);
    this.listeners.tell();
  }

  private carryOut(effect: LinkEffect): void {
    switch (effect.type) {
      case "need_token":
        void this.fetchToken(effect.validFor, effect.renew);
        return;
      case "connect":
        this.connect();
        return;
      case "send":
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(encodeClientFrame(effect.frame));
        return;
      case "disconnect":
        this.drop();
        return;
      case "data":
        this.wiring.onData(effect.site, effect.batches);
        return;
      case "hole":
        this.wiring.onHole(effect.site, effect.hole);
        return;
      case "pending":
        this.wiring.onPending(effect.site, effect.since);
        return;
      case "command":
        this.wiring.onCommand(effect.site, effect.event);
        return;
      case "control":
        this.wiring.onControl(effect.site, effect.event);
        return;
      case "access_changed":
        this.wiring.onAccessChanged();
        return;
      case "session_ended":
        this.wiring.onRevoked();
        return;
    }
  }

  private async fetchToken(validFor: number, renew: boolean): Promise<void> {
    try {
      const token = await this.wiring.token(validFor, renew);
      this.dispatch({ type: "token", token });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.dispatch({ type: "no_token", reason: error.kind === "signed_out" ? "signed_out" : "unreachable" });
    }
  }

  private connect(): void {
    this.drop();
    const socket = new WebSocket(this.wiring.url, SUBPROTOCOL);
    this.socket = socket;
    // A socket that was dropped may still speak; only the current one is heard.
    const ifCurrent = (event: () => LinkEvent) => {
      if (this.socket === socket) this.dispatch(event());
    };
    socket.addEventListener("open", () => {
      ifCurrent(() => ({ type: "opened" }));
    });
    socket.addEventListener("message", (message: MessageEvent<unknown>) => {
      ifCurrent(() => ({ type: "message", text: String(message.data) }));
    });
    socket.addEventListener("close", (close) => {
      ifCurrent(() => {
        this.socket = null;
        return { type: "closed", code: close.code || ABNORMAL_CLOSURE };
      });
    });
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private startTicking(): void {
    if (this.stopTicking) return;
    const timer = setInterval(() => {
      this.dispatch({ type: "tick" });
    }, TICK_MS);
    const leave = this.wiring.surroundings?.watch({
      online: (online) => {
        this.dispatch({ type: "online", online });
      },
      woken: () => {
        this.dispatch({ type: "woken" });
      },
      circumstances: (circumstances) => {
        this.dispatch({ type: "interval", interval: intervalFor(circumstances) });
      },
    });
    this.stopTicking = () => {
      clearInterval(timer);
      leave?.();
    };
  }
}
