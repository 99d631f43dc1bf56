"use client";

import { ChevronRight } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useOrganizations, useSites } from "@/presentation/hooks/use-data";
import { placeOf, type Place } from "./route";

/** The last step, where it is not the name of the site itself. */
const LAST: Partial<Readonly<Record<Place["page"], string>>> = {
  history: "History", control: "Control", settings: "Settings", organizations: "Organizations", people: "People", audit: "Audit log", account: "Account",
};

export function Breadcrumb() {
  const place = placeOf(usePathname());
  const { data: sites } = useSites();
  const { data: organizations } = useOrganizations();
  const site = sites?.find((each) => each.id === place.siteId);
  const organization = organizations?.find((each) => each.id === place.organizationId);
  const steps: { label: string; href?: string }[] = [{ label: "Overview", href: "/" }];
  if (site) steps.push({ label: site.name, href: `/sites/${site.id}` });
  if (organization) steps.push({ label: organization.name, href: "/organizations" });
  const here = LAST[place.page];
  if (here !== undefined && (site !== undefined || place.siteId === null)) steps.push({ label: here });
  return (
    <nav aria-label="Breadcrumb">
      <ol className="flex min-w-0 items-center gap-1.5 text-[13px]">
        {steps.map((step, index) => {
          const last = index === steps.length - 1;
          return (
            <li key={step.label} className="flex min-w-0 items-center gap-1.5">
              {index > 0 ? <ChevronRight aria-hidden className="size-3.5 shrink-0 text-faint" /> : null}
              {last || !step.href ? (
                <span aria-current={last ? "page" : undefined} className="truncate font-medium">
                  {step.label}
                </span>
              ) : (
                <Link href={step.href} className="truncate text-quiet hover:text-ink">
                  {step.label}
                </Link>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
