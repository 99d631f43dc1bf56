"use client";

import { inForce, type Command } from "@/domain/command";
import type { Point, Site } from "@/domain/site";
import { useLivePoint } from "@/presentation/hooks/use-live-point";
import { useNow } from "@/presentation/hooks/use-now";
import { Facts } from "@/presentation/ui/facts";
import { Row } from "@/presentation/ui/row";
import { EmptyRow, Rows, Section } from "@/presentation/ui/section";
import { Ago } from "@/presentation/ui/when";
import { SetpointButton } from "@/presentation/setpoint/setpoint-button";
import { limits, shown } from "@/presentation/setpoint/shown";
import { Until } from "./until";

/** Everything on the site that can be set, what it is now, and who holds it. */
export function SetpointsSection({ site, points, commands }: { site: Site; points: readonly Point[]; commands: readonly Command[] }) {
  const writable = points.filter((point) => point.writable);
  return (
    <Section title="Setpoints" lead="What can be set here. A value that is set is read back from the device, and is in force only then.">
      {writable.length === 0 ? (
        <EmptyRow>None of the devices of this site has a value that can be set.</EmptyRow>
      ) : (
        <Rows label="Setpoints">
          {writable.map((point) => (
            <Setpoint key={point.key} site={site} point={point} commands={commands} />
          ))}
        </Rows>
      )}
    </Section>
  );
}

function Setpoint({ site, point, commands }: { site: Site; point: Point; commands: readonly Command[] }) {
  const live = useLivePoint(site.wire, point.key);
  const holder = inForce(commands, point.key, useNow());
  return (
    <Row
      data-testid="setpoint"
      title={`${point.device ? `${point.device.name}: ` : ""}${point.name.toLowerCase()}`}
      note={
        <Facts
          items={[
            holder === null ? "held by nobody" : <>held by {holder.requestedBy} since <Ago ts={holder.requested} /></>,
            holder?.leaseUntil ? <Until ts={holder.leaseUntil} /> : null,
            limits(point),
          ]}
        />
      }
    >
      <span data-live={point.key} className="text-[13px] font-medium tabular-nums sm:min-w-20 sm:text-right">
        {live?.value === undefined || live.value === null ? "—" : shown(point, live.value)}
      </span>
      <SetpointButton site={site} point={point} />
    </Row>
  );
}
