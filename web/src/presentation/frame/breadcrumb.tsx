"use client";

import { ChevronRight } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useSites } from "@/presentation/hooks/use-data";
import { placeOf } from "./route";

export function Breadcrumb() {
  const place = placeOf(usePathname());
  const { data: sites } = useSites();
  const site = sites?.find((each) => each.id === place.siteId);
  const steps: { label: string; href?: string }[] = [{ label: "Overview", href: "/" }];
  if (site) steps.push({ label: site.name, href: `/sites/${site.id}` });
  if (site && place.page === "history") steps.push({ label: "History" });
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
