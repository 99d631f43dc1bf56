"use client";

import { Boxes, Cpu, Lock, Settings2, UsersRound } from "lucide-react";
import { useSearchParams } from "next/navigation";
import type { ReactNode } from "react";
import type { Action } from "@/domain/contract.gen";
import { may, type Site } from "@/domain/site";
import { SiteGate } from "@/presentation/site-gate";
import { Notice } from "@/presentation/ui/notice";
import { PageNav } from "@/presentation/ui/page-nav";
import { SiteHead } from "@/presentation/ui/site-head";
import { AssetsSection } from "./assets-section";
import { DevicesSection } from "./devices-section";
import { EdgesSection } from "./edges-section";
import { GeneralSection } from "./general-section";
import { SectionsSkeleton } from "@/presentation/ui/sections-skeleton";
import { SitePeopleSection } from "./site-people-section";

export function SettingsPage({ id }: { id: string }) {
  return <SiteGate id={id} skeleton={<SectionsSkeleton label="Loading the settings" />}>{(site) => <Settings site={site} />}</SiteGate>;
}

interface Part {
  readonly key: string;
  readonly label: string;
  readonly icon: typeof Settings2;
  readonly needs: Action;
  readonly show: (site: Site) => ReactNode;
}

const PARTS: readonly Part[] = [
  { key: "general", label: "General", icon: Settings2, needs: "manage_site", show: (site) => <GeneralSection key={site.id} site={site} /> },
  { key: "people", label: "People", icon: UsersRound, needs: "add_site_users", show: (site) => <SitePeopleSection site={site} /> },
  { key: "edges", label: "Edges", icon: Cpu, needs: "manage_site", show: (site) => <EdgesSection site={site} /> },
  {
    key: "equipment", label: "Devices", icon: Boxes, needs: "manage_site",
    show: (site) => (
      <div className="space-y-6">
        <DevicesSection site={site} />
        <AssetsSection site={site} />
      </div>
    ),
  },
];

/** The part is in the address. Only those that the caller's actions open are there at all. */
function Settings({ site }: { site: Site }) {
  const asked = useSearchParams().get("part");
  const parts = PARTS.filter((part) => may(site, part.needs));
  const current = parts.find((part) => part.key === asked) ?? parts[0];
  return (
    <div className="mx-auto max-w-5xl space-y-6">
      <SiteHead site={site} page="settings" />
      {current ? (
        <>
          <PageNav
            label="Parts of the settings"
            entries={parts.map(({ key, label, icon }) => ({ href: `/sites/${site.id}/settings?part=${key}`, label, icon, current: key === current.key }))}
          />
          {current.show(site)}
        </>
      ) : (
        <Notice icon={Lock} title="Your role has no settings here">
          <p>You may see this site, but not change it. A site manager or an administrator of {site.organization.name} can.</p>
        </Notice>
      )}
    </div>
  );
}
