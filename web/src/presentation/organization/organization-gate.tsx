"use client";

import type { ReactNode } from "react";
import { ScrollText, UsersRound } from "lucide-react";
import { may, type OwnOrganization } from "@/domain/site";
import { useOrganizations } from "@/presentation/hooks/use-data";
import { Badge } from "@/presentation/ui/badge";
import { NotFoundView } from "@/presentation/ui/not-found-view";
import { ProblemNotice } from "@/presentation/ui/notice";
import { PageHead } from "@/presentation/ui/page-head";
import { PageNav } from "@/presentation/ui/page-nav";
import { RowsSkeleton } from "@/presentation/ui/rows-skeleton";
import { Card } from "@/presentation/ui/card";
import { Skeleton } from "@/presentation/ui/skeleton";

/** The page of an organization that the caller manages; for everyone else there is no such page. */
export function OrganizationGate({ id, children }: { id: string; children: (organization: OwnOrganization) => ReactNode }) {
  const { data, error, mutate } = useOrganizations();
  if (!data) return error === undefined ? <GateSkeleton /> : <ProblemNotice problem={error} retry={() => void mutate()} />;
  const organization = data.find((each) => String(each.id) === id);
  return organization && may(organization, "manage_org_users") ? children(organization) : <NotFoundView />;
}

/** The name of the organization, its pages, and what can be done on this one. */
export function OrganizationHead({ organization, page, children }: { organization: OwnOrganization; page: "people" | "audit"; children?: ReactNode }) {
  return (
    <PageHead
      title={
        <>
          <span className="min-w-0 truncate">{organization.name}</span>
          {organization.sandbox ? <Badge tone="warn" title="Holds test data only">Sandbox</Badge> : null}
          {organization.suspended ? <Badge tone="alarm">Suspended</Badge> : null}
        </>
      }
      lead={page === "people" ? "Who belongs to the organization, and as what." : "Who did what, when and from where. Nothing here can be changed."}
    >
      <PageNav
        label="Pages of the organization"
        entries={[
          { href: `/organizations/${organization.id}/people`, label: "People", icon: UsersRound, current: page === "people" },
          { href: `/organizations/${organization.id}/audit`, label: "Audit log", icon: ScrollText, current: page === "audit" },
        ]}
      />
      {children}
    </PageHead>
  );
}

function GateSkeleton() {
  return (
    <div className="space-y-6" aria-busy aria-label="Loading the organization">
      <div>
        <Skeleton className="mb-2 h-6 w-52" />
        <Skeleton className="h-4 w-64" />
      </div>
      <Card>
        <RowsSkeleton rows={5} label="Loading" />
      </Card>
    </div>
  );
}
