"use client";

import { Building, ChevronsUpDown } from "lucide-react";
import { useOrganizations } from "@/presentation/hooks/use-data";
import { useOrganization } from "@/presentation/hooks/use-organization";
import { Badge } from "@/presentation/ui/badge";
import { Menu, MenuChoice, MenuHead } from "@/presentation/ui/menu";
import { Skeleton } from "@/presentation/ui/skeleton";

const ALL = "all";

export function OrganizationSwitcher() {
  const { data: organizations } = useOrganizations();
  const { chosen, choose } = useOrganization();
  if (!organizations) return <Skeleton className="h-9 w-full rounded-lg" />;
  const one = organizations.find((each) => each.id === chosen) ?? (organizations.length === 1 ? organizations[0] : undefined);
  const name = one?.name ?? (organizations.length === 0 ? "No organization" : "All organizations");
  const face = (
    <>
      <Building aria-hidden className="size-4 shrink-0 text-quiet" strokeWidth={1.75} />
      <span className="min-w-0 flex-1 truncate text-left">{name}</span>
      {one?.sandbox ? <Badge tone="warn" title="Holds test data only">Sandbox</Badge> : null}
    </>
  );
  const look = "hairline flex h-9 w-full items-center gap-2.5 rounded-lg px-2.5 text-[13px] font-medium";
  if (organizations.length < 2) return <div className={look}>{face}</div>;
  return (
    <Menu
      align="start"
      trigger={
        <button type="button" className={`${look} hover:bg-hover`} aria-label={`Organization: ${name}`}>
          {face}
          <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 text-faint" />
        </button>
      }
    >
      <MenuHead>Show sites of</MenuHead>
      <MenuChoice
        value={chosen === null ? ALL : String(chosen)}
        choices={[{ value: ALL, label: "All organizations" }, ...organizations.map((each) => ({ value: String(each.id), label: each.name, ...(each.sandbox ? { note: "Sandbox" } : {}) }))]}
        onChoose={(value) => {
          choose(value === ALL ? null : Number(value));
        }}
      />
    </Menu>
  );
}
