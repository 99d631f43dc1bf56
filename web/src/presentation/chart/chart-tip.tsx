import type { Row } from "@/domain/chart-rows";
import { indexAt, type Resolution, type Trace } from "@/domain/history";
import { figure } from "@/domain/quantity";
import { moment } from "@/domain/site-time";
import type { LineLook } from "./line-look";

interface Props {
  readonly row: Row;
  readonly traces: readonly Trace[];
  readonly looks: ReadonlyMap<string, LineLook>;
  readonly resolution: Resolution;
  readonly timezone: string;
}

/** What was measured at the crosshair: real samples, not points of a drawn line. */
export function ChartTip({ row, traces, looks, resolution, timezone }: Props) {
  return (
    <div className="hairline rounded-lg border-line-strong bg-raised px-3 py-2 text-xs tabular-nums">
      <p className="mb-1 text-quiet">{moment(row.ts, timezone, resolution === "raw")}</p>
      <ul className="space-y-0.5">
        {traces.map((trace) => (
          <TipLine key={trace.key} trace={trace} look={looks.get(trace.key)} row={row} />
        ))}
      </ul>
    </div>
  );
}

function TipLine({ trace, look, row }: { trace: Trace; look: LineLook | undefined; row: Row }) {
  const broken = (row.values[trace.key] ?? null) === null;
  const index = indexAt(trace.ts, row.ts);
  const value = broken ? null : (trace.value[index] ?? null);
  const read = value === null ? null : figure(value, trace.unit, trace.kind);
  const doubt = value !== null && trace.doubt[index] === true;
  return (
    <li className="flex items-center gap-2">
      <svg aria-hidden viewBox="0 0 14 4" className="h-1 w-3.5 shrink-0">
        <line x1="0" y1="2" x2="14" y2="2" stroke={look?.color ?? "var(--series-1)"} strokeWidth="2" strokeDasharray={look?.dash} />
      </svg>
      <span className="mr-4 text-quiet">{look?.label ?? trace.name}</span>
      <span className="ml-auto font-medium">
        {doubt ? "≈ " : ""}
        {read ? `${read.number} ${read.unit}` : "no value"}
      </span>
    </li>
  );
}
