"use client";

import type { Row } from "@/domain/chart-rows";
import type { History, Trace } from "@/domain/history";
import type { Site } from "@/domain/site";
import type { LineLook } from "@/presentation/chart/line-look";
import { TimeChart } from "@/presentation/chart/time-chart";
import { useMedia } from "@/presentation/hooks/use-media";

/** One chart for each unit: kW and °C on one axis would say something that is not so. */
export function UnitCharts({ site, history, traces, rows, looks }: {
  site: Site; history: History; traces: readonly Trace[]; rows: readonly Row[]; looks: ReadonlyMap<string, LineLook>;
}) {
  const narrow = useMedia("(max-width: 640px)");
  const units = [...new Set(traces.map((trace) => trace.unit))];
  return (
    <div className="divide-y">
      {units.map((unit) => {
        const own = traces.filter((trace) => trace.unit === unit);
        return (
          <div key={unit} className={units.length > 1 ? "h-56 px-2 pb-2 pt-3" : "h-80 px-2 pb-2 pt-3 lg:h-96"}>
            <TimeChart
              title={`${own.map((trace) => looks.get(trace.key)?.label ?? trace.name).join(", ")} of ${site.name}`}
              traces={own}
              rows={rows}
              looks={looks}
              resolution={history.resolution}
              from={history.from}
              to={history.to}
              timezone={site.timezone}
              gaps={history.gaps}
              syncId={`history-${site.wire}`}
              ticks={narrow ? 4 : 8}
            />
          </div>
        );
      })}
      {units.length === 0 ? <p className="px-4 py-16 text-center text-quiet">Every line is switched off. Choose one above.</p> : null}
    </div>
  );
}
