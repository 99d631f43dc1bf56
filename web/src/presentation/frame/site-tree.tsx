"use client";

import { byOrganization, hasSettings, type Site } from "@/domain/site";
import { connectionLabel } from "@/domain/link/connection-words";
import { useSiteConnection } from "@/presentation/hooks/use-connection";
import { useSites } from "@/presentation/hooks/use-data";
import { useOrganization } from "@/presentation/hooks/use-organization";
import { Skeleton } from "@/presentation/ui/skeleton";
import { StateDot } from "@/presentation/ui/state-dot";
import { RailLink } from "./rail-link";
import type { Place } from "./route";

export function SiteTree({ place }: { place: Place }) {
  const { data: sites } = useSites();
  const { chosen } = useOrganization();
  if (!sites) {
    return (
      <div className="mt-6 space-y-3 px-2">
        {[28, 36, 32, 24].map((width) => (
          <Skeleton key={width} className="h-4 w-32" />
        ))}
      </div>
    );
  }
  const groups = byOrganization(sites).filter((group) => chosen === null || group.organization.id === chosen);
  return groups.map(({ organization, sites: own }) => (
    <div key={organization.id} className="mt-5">
      <p className="mb-1 truncate px-2 text-xs font-medium text-faint">{organization.name}</p>
      <ul className="space-y-px">
        {own.map((site) => (
          <SiteEntry key={site.id} site={site} place={place} />
        ))}
      </ul>
    </div>
  ));
}

function SiteEntry({ site, place }: { site: Site; place: Place }) {
  const open = place.siteId === site.id;
  return (
    <li>
      <RailLink href={`/sites/${site.id}`} current={open && place.page === "live"} icon={<SiteDot site={site} />}>
        {site.name}
      </RailLink>
      {open ? (
        <RailLink href={`/sites/${site.id}/history`} current={place.page === "history"} nested>
          History
        </RailLink>
      ) : null}
      {open ? (
        <RailLink href={`/sites/${site.id}/control`} current={place.page === "control"} nested>
          Control
        </RailLink>
      ) : null}
      {open && hasSettings(site) ? (
        <RailLink href={`/sites/${site.id}/settings`} current={place.page === "settings"} nested>
          Settings
        </RailLink>
      ) : null}
    </li>
  );
}

function SiteDot({ site }: { site: Site }) {
  const connection = useSiteConnection(site.wire);
  return (
    <span className="flex size-4 items-center justify-center" title={connectionLabel(connection)}>
      <StateDot status={connection.status} />
      <span className="sr-only">{connectionLabel(connection)}</span>
    </span>
  );
}
