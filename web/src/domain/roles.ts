import type { Action } from "./contract.gen";

/** What a person may be on a site. What each allows is decided by the backend; here are only its words. */
export type SiteRole = "viewer" | "operator" | "site_manager";

/** What a person may be in an organization. */
export type MemberRole = "member" | "org_admin";

interface RoleWords {
  readonly name: string;
  readonly allows: string;
}

/** In the order of what they allow. */
export const SITE_ROLES: Readonly<Record<SiteRole, RoleWords>> = {
  viewer: { name: "Viewer", allows: "Sees the dashboards and reads reports on the page." },
  operator: { name: "Operator", allows: "Also exports reports and acknowledges alerts; controls devices where the site allows it." },
  site_manager: { name: "Site manager", allows: "Also controls devices, changes the site's settings and adds people to it." },
};

/** `needsSites`: sees only sites that a role was given on. */
export const MEMBER_ROLES: Readonly<Record<MemberRole, RoleWords & { needsSites: boolean }>> = {
  member: { name: "Member", allows: "Sees the sites that they were given a role on.", needsSites: true },
  org_admin: { name: "Org admin", allows: "May do everything on every site, and manages the people of the organization.", needsSites: false },
};

const NAMES: Readonly<Record<string, string>> = {
  viewer: "Viewer",
  operator: "Operator",
  site_manager: "Site manager",
  org_admin: "Org admin",
  member: "Member",
  platform_admin: "Platform admin",
};

/** The name of any role, also of one that this page does not know yet. */
export function roleName(role: string): string {
  return NAMES[role] ?? plain(role);
}

export function isSiteRole(role: string): role is SiteRole {
  return Object.hasOwn(SITE_ROLES, role);
}

export function isMemberRole(role: string): role is MemberRole {
  return Object.hasOwn(MEMBER_ROLES, role);
}

const ACTIONS: Readonly<Record<Action, string>> = {
  view: "view",
  export_reports: "export reports",
  acknowledge_alerts: "acknowledge alerts",
  control_devices: "control devices",
  manage_site: "change settings",
  add_site_users: "add people",
  manage_org_users: "manage the organization's people",
};

export function actionWords(action: string): string {
  return (ACTIONS as Readonly<Record<string, string>>)[action] ?? plain(action).toLowerCase();
}

/** `grid_connection` -> "Grid connection" */
export function plain(name: string): string {
  const words = name.replaceAll(/[_.]+/g, " ").trim();
  return words === "hvac" ? "HVAC" : words.charAt(0).toUpperCase() + words.slice(1);
}
