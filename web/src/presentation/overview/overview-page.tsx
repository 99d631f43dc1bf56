"use client";

import { Building } from "lucide-react";
import { byOrganization } from "@/domain/site";
import { useAllPoints } from "@/presentation/hooks/use-all-points";
import { useSites } from "@/presentation/hooks/use-data";
import { useOrganization } from "@/presentation/hooks/use-organization";
import { useSession } from "@/presentation/hooks/use-session";
import { useWatch } from "@/presentation/hooks/use-watch";
import { Card } from "@/presentation/ui/card";
import { Notice, ProblemNotice } from "@/presentation/ui/notice";
import { OverviewSkeleton } from "./overview-skeleton";
import { Portfolio } from "./portfolio";
import { SiteListHead, SiteRow } from "./site-row";

export function OverviewPage() {
  const { data, error, mutate } = useSites();
  const { chosen } = useOrganization();
  const shown = (data ?? []).filter((site) => chosen === null || site.organization.id === chosen);
  const keys = useAllPoints(shown);
  useWatch(shown.map((site) => site.wire));

  if (!data) return error === undefined ? <OverviewSkeleton /> : <ProblemNotice problem={error} retry={() => void mutate()} />;
  if (data.length === 0) return <NoSites />;
  const groups = byOrganization(shown);
  return (
    <div className="space-y-6">
      <div>
        <h1 className="text-xl font-semibold tracking-tight">Overview</h1>
        <p className="text-quiet">
          {shown.length === 1 ? "1 site" : `${shown.length} sites`}
          {groups.length > 1 ? ` in ${groups.length} organizations` : ""}
        </p>
      </div>
      <Portfolio sites={shown} keys={keys} />
      {groups.map(({ organization, sites }) => (
        <section key={organization.id} aria-label={organization.name}>
          <h2 className="mb-2 text-[13px] font-semibold">{organization.name}</h2>
          <Card className="overflow-hidden">
            <SiteListHead />
            <ul className="divide-y">
              {sites.map((site) => (
                <SiteRow key={site.id} site={site} keys={keys?.get(site.id)} />
              ))}
            </ul>
          </Card>
        </section>
      ))}
    </div>
  );
}

function NoSites() {
  const session = useSession();
  const admin = session.status === "signed_in" && session.user.platformAdmin;
  return (
    <Notice icon={Building} title="No sites yet">
      <p>
        {admin
          ? "Add a site in the administration, then an edge with an API key. Its values appear here as soon as the edge connects."
          : "Nobody has given you access to a site so far. Ask an administrator of your organization."}
      </p>
    </Notice>
  );
}
