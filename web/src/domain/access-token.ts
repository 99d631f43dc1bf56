import type { SiteRole } from "./roles";

/** A credential for a program. Its text is known only to whoever made it. Times in ms. */
export interface AccessToken {
  readonly id: number;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  /** null: all sites of whom it acts for. */
  readonly sites: readonly number[] | null;
  readonly organization: number | null;
  readonly created: number;
  readonly expires: number;
  readonly lastUsed: number | null;
  readonly revoked: number | null;
}

export interface NewAccessToken {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly sites: readonly number[] | null;
  readonly expires: number;
  /** For a token of an organization: which one, and its role on the sites. */
  readonly organization?: number;
  readonly role?: SiteRole;
}

export type TokenState = "active" | "expired" | "revoked";

export function tokenState(token: AccessToken, now: number): TokenState {
  if (token.revoked !== null) return "revoked";
  return token.expires <= now ? "expired" : "active";
}

export const SCOPES = ["read", "reports", "alerts", "control", "manage"] as const;

const SCOPE_WORDS: Readonly<Record<string, { name: string; allows: string }>> = {
  read: { name: "Read", allows: "Sites, points, live values and history" },
  reports: { name: "Reports", allows: "Also files: exports and reports" },
  alerts: { name: "Alerts", allows: "Acknowledge alerts" },
  control: { name: "Control", allows: "Send commands to devices" },
  manage: { name: "Manage", allows: "Change settings, devices and edges of sites" },
};

export function scopeName(scope: string): string {
  return SCOPE_WORDS[scope]?.name ?? scope;
}

export function scopeAllows(scope: string): string {
  return SCOPE_WORDS[scope]?.allows ?? "";
}

const DAY_MS = 86_400_000;

/** How long a new token may live; the backend allows at most 366 days. */
export const LIFETIMES = [
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 180, label: "180 days" },
  { days: 365, label: "1 year" },
] as const;

export function expiryAfter(days: number, now: number): number {
  return now + days * DAY_MS;
}
