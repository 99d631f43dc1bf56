/** The address of a site's history with these points chosen. */
export function historyPath(siteId: number, keys: readonly string[]): string {
  return `/sites/${siteId}/history?points=${keys.join(",")}`;
}
