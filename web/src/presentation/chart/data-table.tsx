"use client";

import { useState } from "react";
import type { Row } from "@/domain/chart-rows";
import type { Resolution, Trace } from "@/domain/history";
import { onScale, scaleFor, stateWord, type Scale } from "@/domain/quantity";
import { moment } from "@/domain/site-time";
import type { Point } from "@/domain/site";
import { Button } from "@/presentation/ui/button";
import type { LineLook } from "./line-look";

const PAGE = 100;

interface Props {
  readonly traces: readonly Trace[];
  readonly rows: readonly Row[];
  readonly looks: ReadonlyMap<string, LineLook>;
  readonly points: ReadonlyMap<string, Point>;
  readonly resolution: Resolution;
  readonly timezone: string;
}

/** The data of a chart as numbers, newest first. */
export function DataTable({ traces, rows, looks, points, resolution, timezone }: Props) {
  const [shown, setShown] = useState(PAGE);
  const scales = new Map(traces.map((trace) => [trace.key, scaleOf(trace)]));
  const newest = rows.filter((row) => traces.some((trace) => row.values[trace.key] !== null && row.values[trace.key] !== undefined)).toReversed();
  return (
    <div className="max-h-[30rem] overflow-auto" data-testid="data-table">
      <table className="w-full border-collapse text-[13px] tabular-nums">
        <thead className="sticky top-0 bg-surface text-xs text-faint">
          <tr>
            <th scope="col" className="whitespace-nowrap border-b px-4 py-2 text-left font-normal">Time</th>
            {traces.map((trace) => (
              <th key={trace.key} scope="col" className="border-b px-4 py-2 text-right font-normal">
                {looks.get(trace.key)?.label ?? trace.name}
                {scales.get(trace.key)?.unit ? ` (${scales.get(trace.key)?.unit ?? ""})` : ""}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y">
          {newest.slice(0, shown).map((row) => (
            <tr key={row.ts} className="hover:bg-hover">
              <td className="whitespace-nowrap px-4 py-1.5 text-quiet">{moment(row.ts, timezone, resolution === "raw")}</td>
              {traces.map((trace) => (
                <td key={trace.key} className="whitespace-nowrap px-4 py-1.5 text-right">
                  {cell(row.values[trace.key] ?? null, trace, scales.get(trace.key), points.get(trace.key))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {newest.length > shown ? (
        <div className="flex justify-center border-t p-3">
          <Button
            onClick={() => {
              setShown(shown + 4 * PAGE);
            }}
          >
            Show more of {newest.length} rows
          </Button>
        </div>
      ) : null}
      {newest.length === 0 ? <p className="px-4 py-8 text-center text-quiet">No values in this range.</p> : null}
    </div>
  );
}

function scaleOf(trace: Trace): Scale {
  const largest = trace.value.reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0);
  return scaleFor(largest, trace.unit);
}

function cell(value: number | null, trace: Trace, scale: Scale | undefined, point: Point | undefined): string {
  if (value === null) return "—";
  if (trace.kind === "state") return stateWord(value, point?.states ?? null);
  return onScale(value, scale ?? scaleFor(value, trace.unit));
}
