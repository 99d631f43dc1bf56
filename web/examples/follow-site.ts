import { browserClock } from "@/infrastructure/browser-clock";
import { LiveSocket } from "@/infrastructure/live-socket";

/** What is told of a site. Times in ms since the epoch; a value is in its point's unit, null where there is none. */
export interface Follower {
  readonly sample: (point: string, ts: number, value: number | null) => void;
  /** Samples of this span did not come live: ask `GET /api/telemetry/historical` for them. */
  readonly missed: (from: number, to: number) => void;
}

/**
 * Follow one site from a program: in a browser, or in Node 22 and later. `token` fetches an access token, or rejects
 * with a `Problem`. Returns what ends it.
 */
export function followSite(url: string, site: string, token: () => Promise<string>, follower: Follower): () => void {
  const link = new LiveSocket({
    url,
    token,
    clock: browserClock,
    onData: (_, batches) => {
      for (const { ts, values } of batches.flatMap((batch) => batch.readings)) {
        for (const [point, value] of Object.entries(values)) follower.sample(point, ts, value);
      }
    },
    onHole: (_, { from, to }) => {
      follower.missed(from, to);
    },
    onPending: () => undefined,
    onCommand: () => undefined,
    onControl: () => undefined,
    onAccessChanged: () => undefined,
    onRevoked: () => undefined,
  });
  link.watch([site]);
  return () => {
    link.stop();
  };
}
