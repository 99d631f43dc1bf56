"use client";

import { useId, useMemo } from "react";
import { Area, CartesianGrid, ComposedChart, Line, ReferenceArea, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { doubtSpans, extremes, type Row } from "@/domain/chart-rows";
import type { KnownGap, Resolution, Trace } from "@/domain/history";
import { scaleFor } from "@/domain/quantity";
import { clock, clockSeconds, day } from "@/domain/site-time";
import { ticksAreDays, timeTicks, valueTicks } from "@/domain/ticks";
import { axisNumber } from "./axis-number";
import { ChartTip } from "./chart-tip";
import { GapPatterns } from "./gap-patterns";
import type { LineLook } from "./line-look";

export interface TimeChartProps {
  /** What the chart shows, for those who do not see it. */
  readonly title: string;
  /** Lines of one unit, in drawing order. */
  readonly traces: readonly Trace[];
  readonly rows: readonly Row[];
  readonly looks: ReadonlyMap<string, LineLook>;
  readonly resolution: Resolution;
  readonly from: number;
  readonly to: number;
  readonly timezone: string;
  readonly gaps: readonly KnownGap[];
  readonly pending?: readonly { readonly from: number; readonly to: number }[];
  /** Charts with the same name share their crosshair. */
  readonly syncId: string;
  readonly ticks?: number;
}

const MARGIN = { top: 26, right: 16, bottom: 0, left: 0 };
const AXIS = { fill: "var(--faint)", fontSize: 11, fontFeatureSettings: '"tnum"' } as const;

export function TimeChart(props: TimeChartProps) {
  const { title, traces, rows, looks, resolution, from, to, timezone, gaps, pending = [], syncId, ticks = 6 } = props;
  const id = useId();
  const unit = traces[0]?.unit ?? "";
  const banded = traces.length <= 2 && resolution !== "raw";
  const axis = useMemo(() => valueAxis(rows, traces, unit, banded), [rows, traces, unit, banded]);
  const times = useMemo(() => timeTicks(from, to, timezone, ticks), [from, to, timezone, ticks]);
  const days = ticksAreDays(times, timezone);
  const nameTime = (ts: number) => (days ? day(ts, timezone) : to - from <= 1_200_000 && times.length > 1 && (times[1] ?? 0) - (times[0] ?? 0) < 60_000 ? clockSeconds(ts, timezone) : clock(ts, timezone));
  const within = (span: { readonly from: number; readonly to: number }) => span.to > from && span.from < to;

  return (
    <div className="size-full" data-testid="chart" data-unit={unit}>
      <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 600, height: 280 }}>
        <ComposedChart data={rows} margin={MARGIN} syncId={syncId} syncMethod="value" title={title} accessibilityLayer>
          <GapPatterns id={id} looks={traces.flatMap((trace) => looks.get(trace.key) ?? [])} />
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="ts" type="number" scale="time" domain={[from, to]} allowDataOverflow ticks={times} tickFormatter={nameTime} tick={AXIS} tickLine={false} axisLine={{ stroke: "var(--line-strong)" }} tickMargin={6} minTickGap={24} height={26} />
          <YAxis type="number" domain={axis.domain} ticks={axis.ticks} tickFormatter={(value: number) => axisNumber(value, axis.scale.factor)} tick={AXIS} tickLine={false} axisLine={false} width={46} label={{ value: axis.scale.unit, position: "top", offset: 12, dx: 12, ...AXIS }} />
          {gaps.filter(within).map((gap) => (
            <ReferenceArea key={`gap-${gap.from}-${gap.to}`} x1={Math.max(gap.from, from)} x2={Math.min(gap.to, to)} fill={`url(#${id}-gap)`} stroke="none" ifOverflow="hidden" />
          ))}
          {pending.filter(within).map((span) => (
            <ReferenceArea key={`pending-${span.from}`} x1={Math.max(span.from, from)} x2={Math.min(Math.max(span.to, span.from + 1_000), to)} fill={`url(#${id}-gap)`} className="breathe" stroke="none" ifOverflow="hidden" />
          ))}
          {axis.domain[0] < 0 ? <ReferenceLine y={0} stroke="var(--line-strong)" /> : null}
          {traces.flatMap((trace) => doubtSpans(trace, resolution).filter(within).map((span) => (
            <ReferenceArea key={`doubt-${trace.key}-${span.from}`} x1={Math.max(span.from, from)} x2={Math.min(span.to, to)} fill={`url(#${id}-${trace.key})`} stroke="none" ifOverflow="hidden" />
          )))}
          {banded ? traces.map((trace) => (
            <Area key={`band-${trace.key}`} type="linear" dataKey={(row: Row) => row.bands[trace.key] ?? undefined} stroke="none" fill={looks.get(trace.key)?.color ?? "var(--series-1)"} fillOpacity={0.14} isAnimationActive={false} activeDot={false} tooltipType="none" legendType="none" />
          )) : null}
          {traces.map((trace) => {
            const look = looks.get(trace.key);
            return (
              <Line key={trace.key} type={trace.kind === "state" ? "stepAfter" : "linear"} dataKey={(row: Row) => row.values[trace.key] ?? undefined} name={look?.label ?? trace.name} stroke={look?.color ?? "var(--series-1)"} strokeWidth={1.75} strokeDasharray={look?.dash ?? "0"} strokeLinejoin="round" dot={false} activeDot={{ r: 3, strokeWidth: 0 }} connectNulls={false} isAnimationActive={false} />
            );
          })}
          <Tooltip isAnimationActive={false} cursor={{ stroke: "var(--line-strong)" }} offset={14} content={({ active, label }) => {
            const row = active ? rows.find((each) => each.ts === label) : undefined;
            return row ? <ChartTip row={row} traces={traces} looks={looks} resolution={resolution} timezone={timezone} /> : null;
          }} />
        </ComposedChart>
      </ResponsiveContainer>
    </div>
  );
}

/** The values' own range with round ends. Power, energy and shares stand on zero; a voltage would be a flat line there. */
function valueAxis(rows: readonly Row[], traces: readonly Trace[], unit: string, banded: boolean) {
  const found = extremes(rows, traces.map((trace) => trace.key), banded) ?? [0, 1];
  const grounded = unit === "W" || unit === "%" || unit === "W/m²" || unit === "A";
  const low = grounded ? Math.min(0, found[0]) : found[0];
  const high = grounded ? Math.max(0, found[1]) : found[1];
  const scale = scaleFor(Math.max(Math.abs(low), Math.abs(high)), unit);
  const ticks = valueTicks(low * scale.factor, high * scale.factor).map((tick) => tick / scale.factor);
  const domain: [number, number] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  return { scale, ticks, domain };
}
