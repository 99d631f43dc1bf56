"use client";

import { ChartNoAxesColumn, Download } from "lucide-react";
import { useMemo, useState } from "react";
import useSWR from "swr";
import { loadRange } from "@/application/load-range";
import { rowsOf } from "@/domain/chart-rows";
import { csvOf } from "@/domain/csv";
import { gapWords, resolutionWords, type History } from "@/domain/history";
import type { Range } from "@/domain/ranges";
import { moment } from "@/domain/site-time";
import { may, type Point, type Site } from "@/domain/site";
import { DataTable } from "@/presentation/chart/data-table";
import { Legend } from "@/presentation/chart/legend";
import { lineLooks } from "@/presentation/chart/line-look";
import { useHidden } from "@/presentation/chart/use-hidden";
import { ViewSwitch, type View } from "@/presentation/chart/view-switch";
import { useServices } from "@/presentation/services";
import { saveFile } from "@/presentation/save-file";
import { Button } from "@/presentation/ui/button";
import { Card, CardHead } from "@/presentation/ui/card";
import { Notice, ProblemNotice } from "@/presentation/ui/notice";
import { Skeleton } from "@/presentation/ui/skeleton";
import { UnitCharts } from "./unit-charts";

/** The chosen points over the chosen range, one chart for each unit, under one crosshair. */
export function HistoryCharts({ site, points, range }: { site: Site; points: readonly Point[]; range: Range }) {
  const { history, clock } = useServices();
  const [hidden, toggle] = useHidden();
  const [view, setView] = useState<View>("chart");
  const keys = points.map((point) => point.key);
  const { data, error, isLoading, mutate } = useSWR<History, unknown>(
    keys.length === 0 ? null : ["history", site.id, range.key, ...keys],
    () => loadRange(history, clock, site.id, keys, range),
    { refreshInterval: range.refresh, keepPreviousData: true, revalidateOnFocus: false },
  );
  const looks = useMemo(() => lineLooks(points), [points]);
  const byKey = useMemo(() => new Map(points.map((point) => [point.key, point])), [points]);
  const shown = useMemo(
    () => (data?.traces ?? []).filter((trace) => byKey.has(trace.key) && !hidden.has(trace.key)),
    [data, byKey, hidden],
  );
  const rows = useMemo(() => (data ? rowsOf(shown, data.resolution, data.from, data.to) : []), [shown, data]);

  if (points.length === 0) {
    return (
      <Card>
        <Notice icon={ChartNoAxesColumn} title="No point is chosen">
          <p>Choose one or more under “Points” above to see how they developed.</p>
        </Notice>
      </Card>
    );
  }
  if (!data) return error === undefined ? <ChartSkeleton /> : <Card><ProblemNotice problem={error} retry={() => void mutate()} /></Card>;
  const empty = data.traces.every((trace) => trace.value.every((value) => value === null));
  return (
    <Card data-testid="history" data-resolution={data.resolution} aria-busy={isLoading}>
      <CardHead title={headOf(range)} note={resolutionWords(data.resolution)}>
        {may(site, "export_reports") ? (
          <Button look="bare" onClick={() => { saveCsv(site, range, csvOf(shown, site.timezone)); }} disabled={empty}>
            <Download aria-hidden className="size-4" strokeWidth={1.75} /> CSV
          </Button>
        ) : null}
        <ViewSwitch view={view} onChoose={setView} />
      </CardHead>
      <Legend looks={[...looks.values()]} hidden={hidden} onToggle={toggle} />
      {empty ? (
        <Notice icon={ChartNoAxesColumn} title={`No values in ${range.words}`}>
          <p>Choose a longer range, or check that the site&apos;s edge is connected.</p>
        </Notice>
      ) : view === "chart" ? (
        <UnitCharts site={site} history={data} traces={shown} rows={rows} looks={looks} />
      ) : (
        <DataTable traces={shown} rows={rows} looks={looks} points={byKey} resolution={data.resolution} timezone={site.timezone} />
      )}
      <Gaps history={data} timezone={site.timezone} />
    </Card>
  );
}

function headOf(range: Range): string {
  return range.words.replace("the last", "Last");
}

/** A gap shorter than this is told to the second. */
const SHORT_MS = 600_000;

/** What is missing and why, in words: hatching alone explains nothing. */
function Gaps({ history, timezone }: { history: History; timezone: string }) {
  if (history.gaps.length === 0) return null;
  return (
    <ul aria-label="Known gaps" className="border-t px-4 py-2.5 text-xs text-quiet">
      {history.gaps.slice(0, 5).map((gap) => (
        <li key={`${gap.from}-${gap.to}-${gap.reason}`} className="tabular-nums">
          {moment(gap.from, timezone, gap.to - gap.from < SHORT_MS)} to {moment(gap.to, timezone, gap.to - gap.from < SHORT_MS)}: {gapWords(gap.reason).toLowerCase()}.
        </li>
      ))}
      {history.gaps.length > 5 ? <li className="text-faint">and {history.gaps.length - 5} more</li> : null}
    </ul>
  );
}

function ChartSkeleton() {
  return (
    <Card className="h-[26rem] p-4" aria-busy>
      <Skeleton className="h-4 w-40" />
      <Skeleton className="mt-4 h-80 w-full" />
    </Card>
  );
}

function saveCsv(site: Site, range: Range, csv: string): void {
  const name = `${site.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}-${range.key}.csv`;
  saveFile(new Blob([csv], { type: "text/csv;charset=utf-8" }), name);
}
