import type { HistoryGateway, HistoryQuery } from "@/application/ports";
import type { Kind } from "@/domain/contract.gen";
import { isListOf, isNumber, isRecord, isText, isWhole } from "@/domain/guards";
import type { History, KnownGap, Resolution, Trace } from "@/domain/history";
import { Problem } from "@/domain/problem";
import { qualityOfCode } from "@/domain/quality";
import { bodyOf, type Client } from "./client";
import type { Wire } from "./wire";

export class HistoryApi implements HistoryGateway {
  constructor(private readonly client: Client) {}

  async history(query: HistoryQuery): Promise<History> {
    return historyOf(
      await bodyOf(
        this.client.GET("/api/telemetry/historical", {
          params: {
            query: {
              site: query.siteId,
              points: query.keys.join(","),
              from: String(Math.round(query.from)),
              to: String(Math.round(query.to)),
              ...(query.raw ? { resolution: "raw" } : { resolution: "auto", max_points: query.points }),
            },
          },
        }),
      ),
    );
  }
}

const RESOLUTIONS: readonly Resolution[] = ["raw", "1m", "15m", "1h"];

function unreadable(): Problem {
  return new Problem("failed", "The server's answer to the history query could not be read.");
}

export function historyOf(value: unknown): History {
  if (!isRecord(value)) throw unreadable();
  const { timezone, from, to, series, gaps, ...answer }: Wire<"HistoricalAnswer"> = value;
  const resolution = RESOLUTIONS.find((each) => each === answer.resolution);
  if (!isWhole(from) || !isWhole(to) || !Array.isArray(series) || !resolution) throw unreadable();
  return {
    timezone: isText(timezone) ? timezone : "UTC",
    from,
    to,
    resolution,
    traces: (series as unknown[]).map((each) => traceOf(each, resolution)),
    gaps: isListOf(gaps, isGap) ? gaps : [],
  };
}

function isGap(value: unknown): value is KnownGap {
  if (!isRecord(value)) return false;
  const { from, to, reason }: Wire<"Gap"> = value;
  return isWhole(from) && isWhole(to) && isText(reason);
}

function traceOf(value: unknown, resolution: Resolution): Trace {
  if (!isRecord(value)) throw unreadable();
  const series: Wire<"Series"> = value;
  const { key, name, unit, ts } = series;
  if (!isText(key) || !isListOf(ts, isNumber)) throw unreadable();
  const kind: Kind = series.kind === "register" || series.kind === "state" ? series.kind : "gauge";
  const head = { key, name: isText(name) && name ? name : key, unit: isText(unit) ? unit : "", kind, ts };
  if (resolution === "raw") {
    const codes = numbers(series.quality);
    const doubt = ts.map((_, index) => qualityOfCode(codes[index] ?? 0) === "uncertain");
    return { ...head, value: numbers(series.value), low: null, high: null, doubt };
  }
  // The average of a counter or of a state means nothing; its last value does.
  const gauge = kind === "gauge";
  const [count, good] = [numbers(series.count), numbers(series.good)];
  return {
    ...head,
    value: numbers(gauge ? series.avg : series.last),
    low: gauge ? numbers(series.min) : null,
    high: gauge ? numbers(series.max) : null,
    doubt: ts.map((_, index) => (good[index] ?? 0) < (count[index] ?? 0) / 2),
  };
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || isNumber(value);
}

function numbers(column: unknown): (number | null)[] {
  if (!isListOf(column, isNumberOrNull)) throw unreadable();
  return column;
}
