import type { History } from "@/domain/history";
import type { Range } from "@/domain/ranges";
import type { Clock, HistoryGateway } from "./ports";

/** A range of history that ends now, in the resolution that its length calls for. */
export async function loadRange(
  history: HistoryGateway, clock: Clock, siteId: number, keys: readonly string[], range: Range,
): Promise<History> {
  const to = clock.now();
  return history.history({ siteId, keys, from: to - range.ms, to, raw: false, points: range.points });
}
