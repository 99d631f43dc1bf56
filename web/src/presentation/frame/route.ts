/** What the address says: the site or the organization whose page is open, and which of its pages. */
export interface Place {
  readonly siteId: number | null;
  readonly organizationId: number | null;
  readonly page: "overview" | "live" | "history" | "control" | "settings" | "organizations" | "people" | "audit" | "account" | "other";
}

const SITE_PAGES = { "": "live", "/history": "history", "/control": "control", "/settings": "settings" } as const;
const ORGANIZATION_PAGES = { "/people": "people", "/audit": "audit" } as const;
const PLAIN_PAGES: Readonly<Record<string, Place["page"]>> = { "/": "overview", "/organizations": "organizations", "/account": "account" };

export function placeOf(pathname: string): Place {
  const plain = PLAIN_PAGES[pathname];
  if (plain) return { siteId: null, organizationId: null, page: plain };
  const site = /^\/sites\/(\d+)(|\/history|\/control|\/settings)$/.exec(pathname);
  if (site) return { siteId: Number(site[1]), organizationId: null, page: SITE_PAGES[site[2] as keyof typeof SITE_PAGES] };
  const organization = /^\/organizations\/(\d+)(\/people|\/audit)$/.exec(pathname);
  if (!organization) return { siteId: null, organizationId: null, page: "other" };
  return { siteId: null, organizationId: Number(organization[1]), page: ORGANIZATION_PAGES[organization[2] as keyof typeof ORGANIZATION_PAGES] };
}
