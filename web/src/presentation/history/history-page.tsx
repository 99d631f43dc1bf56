"use client";

import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { useCallback, useMemo } from "react";
import { rangeOf } from "@/domain/ranges";
import type { Site } from "@/domain/site";
import { keysOf } from "@/presentation/hooks/use-all-points";
import { usePoints } from "@/presentation/hooks/use-data";
import { SiteGate } from "@/presentation/site-gate";
import { ProblemNotice } from "@/presentation/ui/notice";
import { SiteHead } from "@/presentation/ui/site-head";
import { HistoryCharts } from "./history-charts";
import { HistorySkeleton } from "./history-skeleton";
import { PointPicker } from "./point-picker";
import { RangeButtons } from "./range-buttons";
import { MOST_POINTS } from "./most-points";

export function HistoryPage({ id }: { id: string }) {
  return <SiteGate id={id} skeleton={<HistorySkeleton />}>{(site) => <SiteHistory site={site} />}</SiteGate>;
}

/** What is chosen is in the address, so that a link shows a colleague the same. */
function SiteHistory({ site }: { site: Site }) {
  const { data: points, error, mutate } = usePoints(site.id);
  const search = useSearchParams();
  const pathname = usePathname();
  const router = useRouter();
  const range = rangeOf(search.get("range"));
  const asked = search.get("points");

  const chosen = useMemo(() => {
    if (!points) return [];
    const power = keysOf(points).power;
    const wanted = asked === null ? [...power.grid, ...power.pv, ...power.battery, ...power.load] : asked.split(",");
    return wanted.flatMap((key) => points.find((point) => point.key === key) ?? []).slice(0, MOST_POINTS);
  }, [points, asked]);

  const go = useCallback(
    (change: Readonly<Record<string, string>>) => {
      const next = new URLSearchParams(search.toString());
      for (const [name, value] of Object.entries(change)) next.set(name, value);
      router.replace(`${pathname}?${next.toString().replaceAll("%2C", ",")}`, { scroll: false });
    },
    [search, pathname, router],
  );

  if (!points) return error === undefined ? <HistorySkeleton /> : <ProblemNotice problem={error} retry={() => void mutate()} />;
  return (
    <div className="space-y-4">
      <SiteHead site={site} page="history" />
      <div className="flex flex-wrap items-center gap-2">
        <RangeButtons range={range} onChoose={(key) => { go({ range: key }); }} />
        <PointPicker points={points} chosen={chosen} onChoose={(keys) => { go({ points: keys.join(",") }); }} />
      </div>
      <HistoryCharts site={site} points={chosen} range={range} />
    </div>
  );
}
