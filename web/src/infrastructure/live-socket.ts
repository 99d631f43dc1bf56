import { Listeners } from "@/application/listeners";
import type { Clock, LiveLink } from "@/application/ports";
import { pageConnection, siteConnection, type Connection } from "@/domain/link/connection";
import { reduce } from "@/domain/link/reducer";
import type { AnyBatch, Hole } from "@/domain/link/site-stream";
import { INITIAL, type LinkEffect, type LinkEvent, type LinkState } from "@/domain/link/state";
import { encodeClientFrame } from "@/domain/frames";
import type { CommandEvent, ControlEvent } from "@/domain/messages";
import { Problem } from "@/domain/problem";

const SUBPROTOCOL = "ems.v1";
const TICK_MS = 500;
const ABNORMAL_CLOSURE = 1006;

/** Where the link takes its tokens from and puts what it hears. */
export interface LiveSocketWiring {
  readonly url: string;
  readonly clock: Clock;
  readonly token: (validFor: number, renew: boolean) => Promise<string>;
  readonly onData: (site: string, batches: readonly AnyBatch[]) => void;
  readonly onHole: (site: string, hole: Hole) => void;
  readonly onPending: (site: string, since: number) => void;
  readonly onCommand: (site: string, event: CommandEvent) => void;
  readonly onControl: (site: string, event: ControlEvent) => void;
  readonly onAccessChanged: () => void;
  readonly onRevoked: () => void;
}

/** The socket around the protocol: every decision is in `domain/link/reducer.ts`, every side effect is here. */
export class LiveSocket implements LiveLink {
  private state: LinkState = INITIAL;
  private socket: WebSocket | null = null;
  private stopTicking: (() => void) | null = null;
  private readonly listeners = new Listeners();
  private readonly seen = new Map<string, Connection | null>();

  constructor(private readonly wiring: LiveSocketWiring) {}

  watch(sites: readonly string[]): void {
    this.dispatch({ type: "watch", sites });
    if (sites.length > 0) this.startTicking();
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
    if (last?.status === next?.status && last?.cause === next?.cause && last?.grantStale === next?.grantStale) return last;
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
    const online = () => {
      this.dispatch({ type: "online", online: navigator.onLine });
    };
    const visible = () => {
      if (document.visibilityState === "visible") this.dispatch({ type: "woken" });
    };
    window.addEventListener("online", online);
    window.addEventListener("offline", online);
    document.addEventListener("visibilitychange", visible);
    online();
    this.stopTicking = () => {
      clearInterval(timer);
      window.removeEventListener("online", online);
      window.removeEventListener("offline", online);
      document.removeEventListener("visibilitychange", visible);
    };
  }
}
