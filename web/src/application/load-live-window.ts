import type { History } from "@/domain/history";
import type { LiveTraces } from "./live-traces";
import { WINDOW_MS } from "./live-traces";
import type { Clock, HistoryGateway } from "./ports";

/** The quarter of an hour before now, from history into the live traces, so that a live chart does not begin empty. */
export async function loadLiveWindow(
  history: HistoryGateway, traces: LiveTraces, clock: Clock, site: { readonly id: number; readonly wire: string }, keys: readonly string[],
): Promise<History> {
  const to = clock.now();
  const answer = await history.history({ siteId: site.id, keys, from: to - WINDOW_MS, to, raw: true, points: 0 });
  traces.backfill(site.wire, answer);
  return answer;
}
