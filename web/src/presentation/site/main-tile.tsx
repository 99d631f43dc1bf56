"use client";

import Link from "next/link";
import { agoWord } from "@/domain/age";
import { figure } from "@/domain/quantity";
import { reasonSentence } from "@/domain/quality";
import type { Point, Site } from "@/domain/site";
import { useAge, useStale } from "@/presentation/hooks/use-age";
import { useLivePoint } from "@/presentation/hooks/use-live-point";
import { historyPath } from "@/presentation/history-path";
import { liveAttributes } from "@/presentation/live-attributes";
import { cx } from "@/presentation/ui/cx";
import { Tip } from "@/presentation/ui/tip";
import { Sparkline } from "./sparkline";
import { TrendMark } from "./trend-mark";
import { ValueTip } from "./value-tip";

/** The figure that the device is about, with its last quarter of an hour and its age. */
export function MainTile({ site, point, color }: { site: Site; point: Point; color: string }) {
  const live = useLivePoint(site.wire, point.key);
  const stale = useStale(live?.ts ?? 0, live?.every ?? 0);
  const age = useAge(live?.ts ?? 0);
  const value = live?.value ?? null;
  const read = value === null ? { number: "—", unit: "" } : figure(value, point.unit, point.kind);
  return (
    <div className="px-4 pb-3">
      <div className="flex items-end gap-4">
        <Tip content={<ValueTip site={site} point={point} live={live} />}>
          <Link
            href={historyPath(site.id, [point.key])}
            prefetch={false}
            {...liveAttributes(point.key, live, stale)}
            className={cx("flex items-baseline whitespace-nowrap tabular-nums", stale && "text-faint")}
          >
            <span className="text-[28px] font-semibold leading-9 tracking-tight">{read.number}</span>
            <span className="ml-1.5 text-sm text-quiet">{read.unit}</span>
            <TrendMark trend={live?.trend ?? "flat"} className="ml-1 size-4" />
          </Link>
        </Tip>
        <Sparkline site={site.wire} pointKey={point.key} color={color} />
      </div>
      <p className={cx("text-xs", live?.reason ? "text-warn" : "text-faint")}>
        {live === null ? "Waiting for the first value" : live.reason === null ? `${point.name} · ${agoOf(age)}` : `${reasonSentence(live.reason)} · ${agoOf(age)}`}
      </p>
    </div>
  );
}

function agoOf(age: string): string {
  return age === "now" || age === "" ? agoWord(0) : `${age} ago`;
}
