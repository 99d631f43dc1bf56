"use client";

import Link from "next/link";
import { figure } from "@/domain/quantity";
import { reasonWord } from "@/domain/quality";
import type { Point, Site } from "@/domain/site";
import { stateWord } from "@/domain/quantity";
import { useAge, useStale } from "@/presentation/hooks/use-age";
import { useLivePoint } from "@/presentation/hooks/use-live-point";
import { liveAttributes } from "@/presentation/live-attributes";
import { cx } from "@/presentation/ui/cx";
import { Tip } from "@/presentation/ui/tip";
import { historyPath } from "@/presentation/history-path";
import { TrendMark } from "./trend-mark";
import { ValueTip } from "./value-tip";

/** A figure in a row. It leads to its own history. */
export function ValueTile({ site, point, unit }: { site: Site; point: Point; unit: boolean }) {
  const live = useLivePoint(site.wire, point.key);
  const stale = useStale(live?.ts ?? 0, live?.every ?? 0);
  const age = useAge(stale && live ? live.ts : 0);
  return (
    <Tip content={<ValueTip site={site} point={point} live={live} />}>
      <Link
        href={historyPath(site.id, [point.key])}
        prefetch={false}
        {...liveAttributes(point.key, live, stale)}
        className={cx("flex items-baseline gap-1 whitespace-nowrap text-[13px] font-medium tabular-nums hover:underline", stale && "text-faint")}
      >
        {live?.value === null && live.reason !== null ? <span className="text-xs text-warn">{reasonWord(live.reason)}</span> : null}
        {stale ? <span className="text-2xs font-normal">{age}</span> : null}
        {live?.quality === "uncertain" ? <span aria-label="uncertain" className="text-warn">≈</span> : null}
        <Figure point={point} value={live?.value ?? null} unit={unit} />
        {point.kind === "gauge" && unit ? <TrendMark trend={live?.trend ?? "flat"} /> : null}
      </Link>
    </Tip>
  );
}

function Figure({ point, value, unit }: { point: Point; value: number | null; unit: boolean }) {
  if (value === null) return <span className="text-faint">—</span>;
  if (point.kind === "state") return <span>{stateWord(value, point.states)}</span>;
  const read = figure(value, point.unit, point.kind);
  return (
    <span>
      {read.number}
      {unit && read.unit ? <span className="ml-1 text-xs font-normal text-quiet">{read.unit}</span> : null}
    </span>
  );
}
