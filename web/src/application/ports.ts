import type { Connection } from "@/domain/link/connection";
import type { Circumstances } from "@/domain/link/interval";
import type { History } from "@/domain/history";
import type { OwnOrganization, Point, Site } from "@/domain/site";
import type { SiteChange } from "@/domain/site-settings";

/** The seams to the world outside. Each call may throw a `Problem` unless it says otherwise. */

export interface SiteGateway {
  organizations(): Promise<OwnOrganization[]>;
  sites(): Promise<Site[]>;
  site(id: number): Promise<Site>;
  change(id: number, change: SiteChange): Promise<Site>;
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

/** What the link needs to know of the page that it serves: told at once, and at each change until the returned function is called. */
export interface Surroundings {
  watch(listener: SurroundingsListener): () => void;
}

export interface SurroundingsListener {
  online(online: boolean): void;
  /** The page is looked at again. */
  woken(): void;
  circumstances(circumstances: Circumstances): void;
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
