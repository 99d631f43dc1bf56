"use client";

import { ExternalLink, LayoutGrid, ShieldCheck } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useSession } from "@/presentation/hooks/use-session";
import { useConfig } from "@/presentation/services";
import { Brand } from "@/presentation/ui/brand";
import { cx } from "@/presentation/ui/cx";
import { OrganizationSwitcher } from "./organization-switcher";
import { RailLink } from "./rail-link";
import { placeOf } from "./route";
import { SiteTree } from "./site-tree";

export function Rail() {
  const place = placeOf(usePathname());
  const session = useSession();
  const { adminUrl } = useConfig();
  const admin = session.status === "signed_in" && session.user.platformAdmin;
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
      {admin ? (
        <div className="border-t p-3">
          <a href={adminUrl} target="_blank" rel="noreferrer" className={cx("flex h-8 items-center gap-2.5 rounded-lg px-2 text-[13px] text-quiet hover:bg-hover hover:text-ink")}>
            <ShieldCheck aria-hidden className="size-4" strokeWidth={1.75} />
            Admin
            <ExternalLink aria-label="opens in a new tab" className="ml-auto size-3.5 text-faint" />
          </a>
        </div>
      ) : null}
    </nav>
  );
}
