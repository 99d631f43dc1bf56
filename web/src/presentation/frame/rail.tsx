"use client";

import { LayoutGrid } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { Brand } from "@/presentation/ui/brand";
import { AdminLinks } from "./admin-links";
import { OrganizationSwitcher } from "./organization-switcher";
import { RailLink } from "./rail-link";
import { placeOf } from "./route";
import { SiteTree } from "./site-tree";

export function Rail() {
  const place = placeOf(usePathname());
  return (
    <nav aria-label="Main" className="sticky top-0 hidden h-dvh w-60 shrink-0 flex-col border-r bg-surface md:flex">
      <div className="flex h-14 shrink-0 items-center px-4">
        <Link href="/" aria-label="SimTestLab EMS, overview">
          <Brand />
        </Link>
      </div>
      <div className="px-3 pb-3">
        <OrganizationSwitcher />
      </div>
      <div className="flex-1 overflow-y-auto px-3 pb-4">
        <RailLink href="/" current={place.page === "overview"} icon={<LayoutGrid aria-hidden className="size-4" strokeWidth={1.75} />}>
          Overview
        </RailLink>
        <SiteTree place={place} />
      </div>
      <AdminLinks place={place} />
    </nav>
  );
}
