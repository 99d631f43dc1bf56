import { Activity, ChartLine, Settings2, SlidersHorizontal } from "lucide-react";
import { hasSettings, type Site } from "@/domain/site";
import { PageNav } from "./page-nav";
import { SiteClock } from "./site-clock";

/** The name of the site, where and when it is, and its pages. */
export function SiteHead({ site, page }: { site: Site; page: "live" | "history" | "control" | "settings" }) {
  const settings = { href: `/sites/${site.id}/settings`, label: "Settings", icon: Settings2, current: page === "settings" };
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
      <div className="ml-auto hidden sm:block">
        <PageNav
          label="Pages of the site"
          entries={[
            { href: `/sites/${site.id}`, label: "Live", icon: Activity, current: page === "live" },
            { href: `/sites/${site.id}/history`, label: "History", icon: ChartLine, current: page === "history" },
            { href: `/sites/${site.id}/control`, label: "Control", icon: SlidersHorizontal, current: page === "control" },
            ...(hasSettings(site) ? [settings] : []),
          ]}
        />
      </div>
    </div>
  );
}
