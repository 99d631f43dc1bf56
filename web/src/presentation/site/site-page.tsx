"use client";

import { Cpu } from "lucide-react";
import type { Site } from "@/domain/site";
import { keysOf } from "@/presentation/hooks/use-all-points";
import { usePoints } from "@/presentation/hooks/use-data";
import { useWatch } from "@/presentation/hooks/use-watch";
import { SiteGate } from "@/presentation/site-gate";
import { Card } from "@/presentation/ui/card";
import { Notice, ProblemNotice } from "@/presentation/ui/notice";
import { SiteHead } from "@/presentation/ui/site-head";
import { devicesOf } from "@/domain/device-tiles";
import { DeviceCard } from "./device-card";
import { EnergyFlow } from "./energy-flow";
import { LivePower } from "./live-power";
import { SiteSkeleton } from "./site-skeleton";
import { StaleBanner } from "./stale-banner";

export function SitePage({ id }: { id: string }) {
  return <SiteGate id={id} skeleton={<SiteSkeleton />}>{(site) => <LiveSite site={site} />}</SiteGate>;
}

function LiveSite({ site }: { site: Site }) {
  const { data: points, error, mutate } = usePoints(site.id);
  useWatch([site.wire]);
  if (!points) return error === undefined ? <SiteSkeleton /> : <ProblemNotice problem={error} retry={() => void mutate()} />;
  const keys = keysOf(points);
  return (
    <div className="space-y-4">
      <SiteHead site={site} page="live" />
      <StaleBanner site={site} />
      {points.length === 0 ? (
        <NoPoints />
      ) : (
        <>
          <div className="grid gap-4 xl:grid-cols-2">
            <EnergyFlow site={site} keys={keys} />
            <LivePower site={site} points={points} keys={keys} />
          </div>
          <div className="gap-4 md:columns-2 xl:columns-3">
            {devicesOf(points).map((device) => (
              <DeviceCard key={device.key} site={site} device={device} />
            ))}
          </div>
        </>
      )}
    </div>
  );
}

function NoPoints() {
  return (
    <Card>
      <Notice icon={Cpu} title="This site has no points yet">
        <p>Start its edge controller with an API key. It reports the points of its devices as soon as it connects, and they appear here by themselves.</p>
      </Notice>
    </Card>
  );
}
