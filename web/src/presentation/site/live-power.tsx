"use client";

import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import useSWR from "swr";
import { loadLiveWindow } from "@/application/load-live-window";
import { WINDOW_MS } from "@/application/live-traces";
import { rowsOf } from "@/domain/chart-rows";
import { ROLES } from "@/domain/energy";
import type { History, Trace } from "@/domain/history";
import { paceWords } from "@/domain/link/connection-words";
import { explain } from "@/domain/problem";
import type { Point, Site } from "@/domain/site";
import { DataTable } from "@/presentation/chart/data-table";
import { Legend } from "@/presentation/chart/legend";
import { lineLooks } from "@/presentation/chart/line-look";
import { TimeChart } from "@/presentation/chart/time-chart";
import { useHidden } from "@/presentation/chart/use-hidden";
import { ViewSwitch, type View } from "@/presentation/chart/view-switch";
import type { SiteKeys } from "@/presentation/hooks/use-all-points";
import { useSiteConnection } from "@/presentation/hooks/use-connection";
import { everySecond, useNow } from "@/presentation/hooks/use-now";
import { useServices } from "@/presentation/services";
import { Card, CardHead } from "@/presentation/ui/card";

/** The last quarter of an hour of the site's powers: from history at first, then as it is measured. */
export function LivePower({ site, points, keys }: { site: Site; points: readonly Point[]; keys: SiteKeys }) {
  const drawn = useMemo(() => {
    const wanted = ROLES.flatMap((role) => keys.power[role]);
    return wanted.flatMap((key) => points.find((point) => point.key === key) ?? []);
  }, [points, keys]);
  const [hidden, toggle] = useHidden();
  const [view, setView] = useState<View>("chart");
  const { live, error } = useLiveTraces(site, drawn);
  const looks = useMemo(() => lineLooks(drawn), [drawn]);
  const byKey = useMemo(() => new Map(drawn.map((point) => [point.key, point])), [drawn]);
  const now = useNow();
  const { traces: store } = useServices();
  const { interval } = useSiteConnection(site.wire);

  const from = now - WINDOW_MS;
  const shown = live.filter((trace) => !hidden.has(trace.key));
  const rows = rowsOf(shown, "raw", from, now);
  return (
    <Card className="flex min-w-0 flex-col" data-testid="live-chart">
      <CardHead title="Power" note={interval > 0 ? `Last 15 min, live ${paceWords(interval)}` : "Last 15 min, every sample"}>
        <ViewSwitch view={view} onChoose={setView} />
      </CardHead>
      <Legend looks={[...looks.values()]} hidden={hidden} onToggle={toggle} />
      {error === undefined ? null : <p className="px-4 pt-1 text-xs text-warn">The last 15 minutes could not be loaded: {explain(error).what.toLowerCase()} The chart grows from now.</p>}
      {view === "chart" ? (
        <div className="h-72 min-h-0 px-2 pb-3 pt-2 xl:h-auto xl:min-h-72 xl:flex-1">
          <TimeChart
            title={`Power of ${site.name} over the last 15 minutes`}
            traces={shown}
            rows={rows}
            looks={looks}
            resolution="raw"
            from={from}
            to={now}
            timezone={site.timezone}
            gaps={store.gaps(site.wire)}
            pending={store.pending(site.wire)}
            syncId={`live-${site.wire}`}
            ticks={5}
          />
        </div>
      ) : (
        <DataTable traces={shown} rows={rows} looks={looks} points={byKey} resolution="raw" timezone={site.timezone} />
      )}
    </Card>
  );
}

/** Live traces of these points, begun with what history has. */
function useLiveTraces(site: Site, points: readonly Point[]): { live: Trace[]; error: unknown } {
  const { traces, history, clock } = useServices();
  const keys = useMemo(() => points.map((point) => point.key), [points]);
  useEffect(() => traces.keep(site.wire, keys), [traces, site.wire, keys]);
  const { error } = useSWR<History, unknown>(
    keys.length === 0 ? null : ["live-window", site.wire, ...keys],
    () => loadLiveWindow(history, traces, clock, site, keys),
    { revalidateOnFocus: false, revalidateOnReconnect: false, revalidateIfStale: true, dedupingInterval: 5_000 },
  );
  // Read once a second with the clock that moves the axis: the chart is drawn once, not for each batch.
  const version = useSyncExternalStore(everySecond, () => traces.version(site.wire), () => 0);
  const live = useMemo(
    () => points.map((point): Trace => {
      const samples = version < 0 ? null : traces.samples(site.wire, point.key);
      return { key: point.key, name: point.name, unit: point.unit, kind: point.kind, low: null, high: null, ts: samples?.ts ?? [], value: samples?.value ?? [], doubt: samples?.doubt ?? [] };
    }),
    [points, traces, site.wire, version],
  );
  return { live, error };
}
