import type { HistoryGateway, HistoryQuery } from "@/application/ports";
import type { Kind } from "@/domain/contract.gen";
import { isListOf, isNumber, isRecord, isText, isWhole, type Json } from "@/domain/guards";
import type { History, KnownGap, Resolution, Trace } from "@/domain/history";
import { Problem } from "@/domain/problem";
import { qualityOfCode } from "@/domain/quality";
import { getJson, type TokenSource } from "./authorized";

export class HistoryApi implements HistoryGateway {
  constructor(private readonly tokens: TokenSource) {}

  async history(query: HistoryQuery): Promise<History> {
    const search = new URLSearchParams({
      site: String(query.siteId),
      points: query.keys.join(","),
      from: String(Math.round(query.from)),
      to: String(Math.round(query.to)),
      resolution: query.raw ? "raw" : "auto",
    });
    if (!query.raw) search.set("max_points", String(query.points));
    return historyOf(await getJson(this.tokens, `/api/telemetry/historical?${search.toString()}`));
  }
}

const RESOLUTIONS: readonly Resolution[] = ["raw", "1m", "15m", "1h"];

function unreadable(): Problem {
  return new Problem("failed", "The server's answer to the history query could not be read.");
}

export function historyOf(value: unknown): History {
  if (!isRecord(value) || !isWhole(value.from) || !isWhole(value.to) || !Array.isArray(value.series)) throw unreadable();
  const resolution = RESOLUTIONS.find((each) => each === value.resolution);
  if (!resolution) throw unreadable();
  const gaps = isListOf(value.gaps, isGap) ? value.gaps : [];
  return {
    timezone: isText(value.timezone) ? value.timezone : "UTC",
    from: value.from,
    to: value.to,
    resolution,
    traces: (value.series as unknown[]).map((series) => traceOf(series, resolution)),
    gaps,
  };
}

function isGap(value: unknown): value is KnownGap {
  return isRecord(value) && isWhole(value.from) && isWhole(value.to) && isText(value.reason);
}

function traceOf(value: unknown, resolution: Resolution): Trace {
  if (!isRecord(value) || !isText(value.key) || !isListOf(value.ts, isNumber)) throw unreadable();
  const kind: Kind = value.kind === "register" || value.kind === "state" ? value.kind : "gauge";
  const head = {
    key: value.key,
    name: isText(value.name) && value.name ? value.name : value.key,
    unit: isText(value.unit) ? value.unit : "",
    kind,
    ts: value.ts,
  };
  if (resolution === "raw") {
    const codes = isListOf(value.quality, isNumber) ? value.quality : [];
    const doubt = head.ts.map((_, index) => qualityOfCode(codes[index] ?? 0) === "uncertain");
    return { ...head, value: numbers(value, "value"), low: null, high: null, doubt };
  }
  // The average of a counter or of a state means nothing; its last value does.
  const gauge = kind === "gauge";
  const [count, good] = [numbers(value, "count"), numbers(value, "good")];
  return {
    ...head,
    value: numbers(value, gauge ? "avg" : "last"),
    low: gauge ? numbers(value, "min") : null,
    high: gauge ? numbers(value, "max") : null,
    doubt: head.ts.map((_, index) => (good[index] ?? 0) < (count[index] ?? 0) / 2),
  };
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || isNumber(value);
}

function numbers(series: Json, field: string): (number | null)[] {
  const list = series[field];
  if (!isListOf(list, isNumberOrNull)) throw unreadable();
  return list;
}
