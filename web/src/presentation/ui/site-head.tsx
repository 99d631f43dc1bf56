import { Activity, ChartLine } from "lucide-react";
import Link from "next/link";
import type { Site } from "@/domain/site";
import { cx } from "./cx";
import { SiteClock } from "./site-clock";

/** The name of the site, where and when it is, and its pages. */
export function SiteHead({ site, page }: { site: Site; page: "live" | "history" }) {
  return (
    <div className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-3">
      <div className="min-w-0">
        <h1 className="truncate text-xl font-semibold tracking-tight">{site.name}</h1>
        <p className="flex flex-wrap gap-x-2 text-quiet">
          <span className="truncate">{site.address || site.organization.name}</span>
          <span aria-hidden className="text-faint">·</span>
          <span>
            <SiteClock timezone={site.timezone} zone />
          </span>
        </p>
      </div>
      <nav aria-label="Pages of the site" className="hairline ml-auto hidden h-8 items-center rounded-lg bg-sunken p-0.5 sm:inline-flex">
        <Tab href={`/sites/${site.id}`} current={page === "live"}>
          <Activity aria-hidden className="size-3.5" /> Live
        </Tab>
        <Tab href={`/sites/${site.id}/history`} current={page === "history"}>
          <ChartLine aria-hidden className="size-3.5" /> History
        </Tab>
      </nav>
    </div>
  );
}

function Tab({ href, current, children }: { href: string; current: boolean; children: React.ReactNode }) {
  return (
    <Link
      href={href}
      aria-current={current ? "page" : undefined}
      className={cx(
        "inline-flex h-full items-center gap-1.5 rounded-md border px-2.5 text-[13px] font-medium transition-colors",
        current ? "border-line bg-surface text-ink" : "border-transparent text-quiet hover:text-ink",
      )}
    >
      {children}
    </Link>
  );
}
