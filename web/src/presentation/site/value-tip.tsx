import type { LivePoint } from "@/application/live-points";
import { exact } from "@/domain/quantity";
import { reasonSentence } from "@/domain/quality";
import { moment } from "@/domain/site-time";
import type { Point, Site } from "@/domain/site";

/** The exact value with its time where the site is, and what is wrong with it if anything is. */
export function ValueTip({ site, point, live }: { site: Site; point: Point; live: LivePoint | null }) {
  return (
    <>
      <p className="font-medium">{point.name}</p>
      {live ? (
        <>
          <p className="tabular-nums">{live.value === null ? "No value" : exact(live.value, point.unit)}</p>
          <p className="tabular-nums text-quiet">{moment(live.ts, site.timezone, true)}</p>
          {live.reason === null ? null : <p className="mt-1 text-warn">{reasonSentence(live.reason)}.</p>}
        </>
      ) : (
        <p className="text-quiet">Not received yet.</p>
      )}
      <p className="mt-1 text-faint">{point.key}</p>
    </>
  );
}
