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

/** A figure in a row. It leads to its own history. The row's age and unit stand once: with the first and last figure. */
export function ValueTile({ site, point, first, last }: { site: Site; point: Point; first: boolean; last: boolean }) {
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
        {stale && first ? <span className="text-2xs font-normal">{age}</span> : null}
        {first && last ? <TrendMark trend={point.kind === "gauge" ? (live?.trend ?? "flat") : "flat"} /> : null}
        {live?.quality === "uncertain" ? <span aria-label="uncertain" className="text-warn">≈</span> : null}
        <Figure point={point} value={live?.value ?? null} reason={live?.reason ?? null} unit={last} />
      </Link>
    </Tip>
  );
}

/** The unit has a column of its own, so that the figures of a card stand under each other. */
function Figure({ point, value, reason, unit }: { point: Point; value: number | null; reason: string | null; unit: boolean }) {
  if (value === null) return <span className={reason === null ? "text-faint" : "text-xs text-warn"}>{reason === null ? "—" : reasonWord(reason)}</span>;
  if (point.kind === "state") return <span>{stateWord(value, point.states)}</span>;
  const read = figure(value, point.unit, point.kind);
  return (
    <>
      <span>{read.number}</span>
      {unit ? <span className="w-8 text-xs font-normal text-quiet">{read.unit}</span> : null}
    </>
  );
}
