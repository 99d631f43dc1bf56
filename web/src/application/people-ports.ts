import type { AccessToken, NewAccessToken } from "@/domain/access-token";
import type { AuditEntry, AuditFilter } from "@/domain/audit";
import type { LoginSession } from "@/domain/login-session";
import type { ExplainedAccess, Invitation, Member, NewInvitation, OpenInvitation } from "@/domain/people";
import type { MemberRole, SiteRole } from "@/domain/roles";
import type { User } from "@/domain/site";
import type { AssetNode, DeviceSettings, Edge, EdgeKey, LocalConfiguration, NewEdgeKey } from "@/domain/site-settings";

/** The seams for people and what belongs to them. Each call may throw a `Problem`. */

/** An access token for this browser tab's memory. `expires` by this browser's clock, ms. */
export interface SessionGrant {
  readonly access: string;
  readonly expires: number;
  readonly user: User;
}

export interface Setup {
  readonly token: string;
  readonly email: string;
  readonly name: string;
  readonly password: string;
  readonly organization: string;
}

/** The refresh token is an HttpOnly cookie that only the server reads; nothing here ever sees it. */
export interface SessionGateway {
  /** Without a code, an account with two factors is refused with the code `code_needed`. */
  signIn(email: string, password: string, code?: string): Promise<SessionGrant>;
  refresh(): Promise<SessionGrant>;
  signOut(): Promise<void>;
  /** Ends every session of the account and opens a new one. */
  changePassword(access: string, current: string, next: string): Promise<SessionGrant>;
}

/** What needs no session. */
export interface AuthGateway extends SessionGateway {
  /** Makes the first administrator and their organization, and signs them in. */
  setUp(setup: Setup): Promise<SessionGrant>;
  /** Answers the same whether there is such an account or not. */
  forgotPassword(email: string): Promise<void>;
  resetPassword(token: string, next: string): Promise<void>;
  invitation(token: string): Promise<OpenInvitation>;
  /** For someone new: makes the account and signs in. */
  joinAsNew(token: string, name: string, password: string): Promise<SessionGrant>;
}

export interface TwoFactorStart {
  readonly secret: string;
  /** The code to photograph, as an SVG document. */
  readonly qr: string;
}

/** The account of who is signed in. */
export interface AccountGateway {
  rename(name: string): Promise<User>;
  sessions(): Promise<LoginSession[]>;
  endSession(id: string): Promise<void>;
  startTwoFactor(): Promise<TwoFactorStart>;
  /** Turns it on, and gives the codes for when the phone is lost. */
  confirmTwoFactor(code: string, password: string): Promise<string[]>;
  stopTwoFactor(password: string): Promise<void>;
  me(): Promise<User>;
  /** For someone who has an account: joins with the one that is signed in. */
  join(token: string): Promise<User>;
}

/** Whose tokens: a person's own, or an organization's. */
export type TokenOwner = { readonly person: number } | { readonly organization: number };

export interface TokenGateway {
  tokens(owner: TokenOwner): Promise<AccessToken[]>;
  /** The text is in this answer only. */
  create(token: NewAccessToken): Promise<{ token: AccessToken; text: string }>;
  revoke(id: number): Promise<void>;
}

export interface PeopleGateway {
  members(organization: number): Promise<Member[]>;
  changeMember(membership: number, role: MemberRole): Promise<void>;
  removeMember(membership: number): Promise<void>;
  invitations(organization: number): Promise<Invitation[]>;
  invite(invitation: NewInvitation): Promise<void>;
  resend(invitation: number): Promise<void>;
  withdraw(invitation: number): Promise<void>;
  /** Everyone with a role on the site, whatever it comes from. */
  peopleOfSite(site: number): Promise<ExplainedAccess[]>;
  /** To a member of the site's organization. */
  grant(site: number, email: string, role: SiteRole): Promise<void>;
  changeGrant(access: number, role: SiteRole): Promise<void>;
  revokeGrant(access: number): Promise<void>;
}

/** What measures a site: its edges with their keys, devices and assets. */
export interface EquipmentGateway {
  edges(site: number): Promise<Edge[]>;
  createEdge(site: number, edge: { name: string; pollInterval: number }): Promise<void>;
  changeEdge(id: number, edge: { name: string; pollInterval: number }): Promise<void>;
  configureEdge(id: number, local: LocalConfiguration): Promise<void>;
  removeEdge(id: number): Promise<void>;
  keys(edge: number): Promise<EdgeKey[]>;
  createKey(edge: number): Promise<NewEdgeKey>;
  revokeKey(id: number): Promise<void>;
  devices(site: number): Promise<DeviceSettings[]>;
  saveDevice(device: Omit<DeviceSettings, "id">, id: number | null): Promise<void>;
  removeDevice(id: number): Promise<void>;
  assets(site: number): Promise<AssetNode[]>;
  saveAsset(site: number, asset: Omit<AssetNode, "id">, id: number | null): Promise<void>;
  removeAsset(id: number): Promise<void>;
}

export type ExportFormat = "csv" | "ndjson";

/** Newest first. `count` of all that match, not counted past 10,000; `older` is where to go on. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly count: number;
  readonly older: string | null;
}

export interface AuditGateway {
  /** From a place in the log, or from its end. */
  entries(organization: number, filter: AuditFilter, place: string | null): Promise<AuditPage>;
  export(organization: number, filter: AuditFilter, format: ExportFormat): Promise<Blob>;
}
