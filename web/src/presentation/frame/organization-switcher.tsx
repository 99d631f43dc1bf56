"use client";

import { Building, ChevronsUpDown } from "lucide-react";
import { byOrganization } from "@/domain/site";
import { useSites } from "@/presentation/hooks/use-data";
import { useOrganization } from "@/presentation/hooks/use-organization";
import { Menu, MenuChoice, MenuHead } from "@/presentation/ui/menu";
import { Skeleton } from "@/presentation/ui/skeleton";

const ALL = "all";

export function OrganizationSwitcher() {
  const { data: sites } = useSites();
  const { chosen, choose } = useOrganization();
  if (!sites) return <Skeleton className="h-9 w-full rounded-lg" />;
  const organizations = byOrganization(sites).map((group) => group.organization);
  const [only] = organizations;
  const name = organizations.find((each) => each.id === chosen)?.name ?? (organizations.length === 1 ? only?.name : "All organizations") ?? "No organization";
  const face = (
    <>
      <Building aria-hidden className="size-4 shrink-0 text-quiet" strokeWidth={1.75} />
      <span className="min-w-0 flex-1 truncate text-left">{name}</span>
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
        choices={[{ value: ALL, label: "All organizations" }, ...organizations.map((each) => ({ value: String(each.id), label: each.name }))]}
        onChoose={(value) => {
          choose(value === ALL ? null : Number(value));
        }}
      />
    </Menu>
  );
}
