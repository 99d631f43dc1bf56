"use client";

import { Cpu } from "lucide-react";
import { memo } from "react";
import type { DeviceTiles, TileRow } from "@/domain/device-tiles";
import type { Site } from "@/domain/site";
import { SetpointButton } from "@/presentation/setpoint/setpoint-button";
import { ENERGY } from "@/presentation/energy-look";
import { Card } from "@/presentation/ui/card";
import { MainTile } from "./main-tile";
import { StateTile } from "./state-tile";
import { ValueTile } from "./value-tile";

interface Props {
  readonly site: Site;
  readonly device: DeviceTiles;
}

/** One device: its power large, its other points as rows. Each figure repaints by itself. */
export const DeviceCard = memo(function DeviceCard({ site, device }: Props) {
  const look = device.role ? ENERGY[device.role] : null;
  const Icon = look?.icon ?? Cpu;
  return (
    <Card data-testid="device" data-device={device.key} className="mb-4 break-inside-avoid">
      <header className="flex h-11 items-center gap-2.5 px-4">
        <Icon aria-hidden className="size-4 shrink-0" strokeWidth={1.75} style={look ? { color: look.color } : undefined} />
        <h2 className="truncate text-[13px] font-semibold">{device.name}</h2>
        {device.state ? <StateTile site={site} point={device.state} /> : null}
      </header>
      {device.main ? <MainTile site={site} point={device.main} color={look?.color ?? "var(--series-1)"} /> : null}
      {device.rows.length > 0 ? (
        <dl className="divide-y border-t">
          {device.rows.map((row) => (
            <Row key={row.points[0]?.key ?? row.label} site={site} row={row} />
          ))}
        </dl>
      ) : null}
    </Card>
  );
});

function Row({ site, row }: { site: Site; row: TileRow }) {
  return (
    <div className="flex min-h-9 items-center gap-3 px-4 py-1">
      <dt className="min-w-20 flex-1 truncate text-[13px] text-quiet" title={row.points.length > 1 ? `${row.label}, phases 1 to 3` : row.label}>
        {row.label}
        {row.points.length > 1 ? <span className="ml-1.5 text-2xs text-faint">L1 L2 L3</span> : null}
      </dt>
      {row.points[0] ? <SetpointButton site={site} point={row.points[0]} small /> : null}
      <dd className="flex items-center gap-2.5">
        {row.points.map((point, index) => (
          <ValueTile key={point.key} site={site} point={point} first={index === 0} last={index === row.points.length - 1} />
        ))}
      </dd>
    </div>
  );
}
