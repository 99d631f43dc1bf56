"use client";

import { useState } from "react";
import { NO_FILTER, type AuditFilter } from "@/domain/audit";
import type { OwnOrganization } from "@/domain/site";
import { OrganizationGate, OrganizationHead } from "@/presentation/organization/organization-gate";
import { AuditFilters } from "./audit-filters";
import { AuditList } from "./audit-list";
import { ExportButtons } from "./export-buttons";

export function AuditPage({ id }: { id: string }) {
  return <OrganizationGate id={id}>{(organization) => <Audit key={organization.id} organization={organization} />}</OrganizationGate>;
}

function Audit({ organization }: { organization: OwnOrganization }) {
  const [filter, setFilter] = useState<AuditFilter>(NO_FILTER);
  return (
    <div className="space-y-4">
      <OrganizationHead organization={organization} page="audit">
        <ExportButtons organization={organization} filter={filter} />
      </OrganizationHead>
      <AuditFilters organization={organization} filter={filter} onChange={setFilter} />
      <AuditList organization={organization} filter={filter} />
    </div>
  );
}
