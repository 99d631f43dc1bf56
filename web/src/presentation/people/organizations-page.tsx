"use client";

import { Building2 } from "lucide-react";
import Link from "next/link";
import { may } from "@/domain/site";
import { useOrganizations } from "@/presentation/hooks/use-data";
import { Badge } from "@/presentation/ui/badge";
import { Card } from "@/presentation/ui/card";
import { List } from "@/presentation/ui/list";
import { PageHead } from "@/presentation/ui/page-head";
import { Row } from "@/presentation/ui/row";

const LINK = "hairline inline-flex h-8 items-center rounded-lg bg-surface px-3 text-[13px] font-medium hover:bg-hover";

/** The caller's organizations, with ways into those that they manage. */
export function OrganizationsPage() {
  const organizations = useOrganizations();
  return (
    <div className="mx-auto max-w-5xl space-y-6">
      <PageHead title="Organizations" lead="Those that you belong to or manage." />
      <Card className="overflow-hidden">
        <List data={organizations} label="Organizations" empty="You belong to no organization. Ask an administrator for an invitation.">
          {(organization) => (
            <Row
              key={organization.id}
              lead={<Building2 aria-hidden className="size-5 shrink-0 text-faint" strokeWidth={1.5} />}
              title={
                <>
                  <span className="min-w-0 truncate">{organization.name}</span>
                  {organization.sandbox ? <Badge tone="warn" title="Holds test data only">Sandbox</Badge> : null}
                  {organization.suspended ? <Badge tone="alarm">Suspended</Badge> : null}
                </>
              }
              {...(organization.sites === null || organization.members === null ? {} : { note: `${count(organization.sites, "site", "sites")}, ${count(organization.members, "member", "members")}` })}
            >
              {may(organization, "manage_org_users") ? (
                <>
                  <Link href={`/organizations/${organization.id}/people`} className={LINK}>People</Link>
                  <Link href={`/organizations/${organization.id}/audit`} className={LINK}>Audit log</Link>
                </>
              ) : null}
            </Row>
          )}
        </List>
      </Card>
    </div>
  );
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
