import type { Connection } from "@/domain/link/connection";
import type { History } from "@/domain/history";
import type { Point, Site, User } from "@/domain/site";

/** The seams to the world outside. Each call may throw a `Problem` unless it says otherwise. */

/** An access token for this browser tab's memory. `expires` by this browser's clock, ms. */
export interface SessionGrant {
  readonly access: string;
  readonly expires: number;
  readonly user: User;
}

export interface Setup {
  readonly token: string;
  readonly email: string;
  readonly name: string;
  readonly password: string;
  readonly organization: string;
}

/** The refresh token is an HttpOnly cookie that only the server reads; nothing here ever sees it. */
export interface AuthGateway {
  signIn(email: string, password: string): Promise<SessionGrant>;
  refresh(): Promise<SessionGrant>;
  signOut(): Promise<void>;
  /** Makes the first administrator and their organization, and signs them in. */
  setUp(setup: Setup): Promise<SessionGrant>;
}

export interface SiteGateway {
  sites(): Promise<Site[]>;
  site(id: number): Promise<Site>;
  points(siteId: number): Promise<Point[]>;
}

/** `from` and `to` in ms. `points`: at most so many values a line, unless `raw` asks for every sample. */
export interface HistoryQuery {
  readonly siteId: number;
  readonly keys: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly raw: boolean;
  readonly points: number;
}

export interface HistoryGateway {
  history(query: HistoryQuery): Promise<History>;
}

/** The live link. It never throws: its state is what `page` and `site` say, and `subscribe` tells when they change. */
export interface LiveLink {
  /** Follow exactly these sites; the first call opens the link. */
  watch(sites: readonly string[]): void;
  /** Close the link and forget everything. */
  stop(): void;
  readonly subscribe: (listener: () => void) => () => void;
  readonly page: () => Connection | null;
  site(wire: string): Connection;
  /** This clock minus the service's, ms. */
  skew(): number;
}

/** Other tabs of this browser. */
export interface Tabs {
  /** Run the task while no other tab runs one, as far as the browser can tell. */
  exclusively<T>(task: () => Promise<T>): Promise<T>;
  announceSignOut(): void;
  onSignOut(listener: () => void): void;
}

export interface Clock {
  now(): number;
  /** Returns a function that cancels. */
  after(ms: number, task: () => void): () => void;
  /** In [0, 1). */
  random(): number;
}
