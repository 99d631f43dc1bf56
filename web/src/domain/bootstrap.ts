/** The file that an edge controller starts from, as YAML. `url`: where it reaches the backend. */
export function bootstrapOf(url: string, key: string): string {
  return [`url: ${url}`, `key: ${key}`, "store: /var/lib/ems-edge", ""].join("\n");
}
