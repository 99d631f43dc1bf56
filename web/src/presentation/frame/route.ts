/** What the address says: the site whose page is open, and which of its pages. */
export interface Place {
  readonly siteId: number | null;
  readonly page: "overview" | "live" | "history" | "other";
}

export function placeOf(pathname: string): Place {
  if (pathname === "/") return { siteId: null, page: "overview" };
  const found = /^\/sites\/(\d+)(\/history)?$/.exec(pathname);
  if (!found) return { siteId: null, page: "other" };
  return { siteId: Number(found[1]), page: found[2] ? "history" : "live" };
}
