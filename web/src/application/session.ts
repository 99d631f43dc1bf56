import { Problem } from "@/domain/problem";
import type { User } from "@/domain/site";
import { Listeners } from "./listeners";
import type { SessionGateway, SessionGrant } from "./people-ports";
import type { Clock, Tabs } from "./ports";

export type SignOutReason = "expired" | "revoked" | "left";

/** unknown: not asked yet. unreachable: asked, but nobody answered; it is asked again. */
export type SessionState =
  | { readonly status: "unknown" }
  | { readonly status: "unreachable"; readonly problem: Problem }
  | { readonly status: "signed_in"; readonly user: User }
  | { readonly status: "signed_out"; readonly reason: SignOutReason | null };

/** A token is renewed this long before it ends. */
const MARGIN_MS = 60_000;
const RETRY_MS = 5_000;
/** More than a change of the password takes. */
const CHANGE_MS = 30_000;

/** Keeps the access token, in memory only, and renews it: one refresh at a time in this tab and across tabs. */
export class Session {
  private grant: SessionGrant | null = null;
  private current: SessionState = { status: "unknown" };
  private renewing: Promise<SessionGrant> | null = null;
  private changing: Promise<unknown> = Promise.resolve();
  private cancelTimer: () => void = () => undefined;
  private readonly listeners = new Listeners();

  constructor(
    private readonly gateway: SessionGateway,
    private readonly tabs: Tabs,
    private readonly clock: Clock,
  ) {
    tabs.onSignOut(() => {
      this.end("left");
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => this.listeners.add(listener);

  readonly state = (): SessionState => this.current;

  /** At load: ask for a session with whatever cookie the browser holds. Never throws; see `state`. */
  async restore(): Promise<void> {
    if (this.current.status === "signed_in") return;
    await this.renewQuietly();
  }

  /** Throws a Problem with the code `code_needed` where the account asks for a second factor as well. */
  async signIn(email: string, password: string, code?: string): Promise<void> {
    this.adopt(await this.gateway.signIn(email, password, code));
  }

  /** A session that was opened by other means than a sign-in or a cookie. */
  adopt(grant: SessionGrant): void {
    this.grant = grant;
    const known = this.current.status === "signed_in" && this.current.user.id === grant.user.id;
    if (!known) this.set({ status: "signed_in", user: grant.user });
    this.schedule(Math.max(RETRY_MS, grant.expires - this.clock.now() - MARGIN_MS));
  }

  /** Every other session ends; this one goes on with a new grant. Until that is there, nobody renews the old one. */
  async changePassword(current: string, next: string): Promise<void> {
    const access = await this.token(CHANGE_MS);
    const change = this.tabs.exclusively(() => this.gateway.changePassword(access, current, next));
    this.changing = change.then(
      () => undefined,
      () => undefined,
    );
    this.adopt(await change);
  }

  /** What is now known of the person who is signed in. */
  learn(user: User): void {
    if (this.current.status === "signed_in" && this.current.user.id === user.id) this.set({ status: "signed_in", user });
  }

  /** Ends the session here and in every other tab, also when the server cannot be told. */
  async signOut(): Promise<void> {
    this.end("left");
    this.tabs.announceSignOut();
    await this.gateway.signOut();
  }

  /** The session is over; its reason is shown at the login page. */
  end(reason: SignOutReason | null): void {
    this.cancelTimer();
    this.grant = null;
    this.set({ status: "signed_out", reason });
  }

  /** A token that lives for at least `validFor` ms more. Throws a Problem: `signed_out`, or why it cannot be renewed. */
  async token(validFor = 5_000): Promise<string> {
    if (this.grant && this.grant.expires - this.clock.now() > validFor) return this.grant.access;
    return (await this.renew()).access;
  }

  /** A token other than the one that was just refused. */
  async tokenAfter(refused: string): Promise<string> {
    if (this.grant && this.grant.access !== refused) return this.grant.access;
    return (await this.renew()).access;
  }

  /** Somebody else says that access has ended. The backend knows whether the session has; true while it has not. */
  async confirm(): Promise<boolean> {
    try {
      await this.renew("revoked");
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return error.kind !== "signed_out";
    }
    return true;
  }

  private renew(reason: SignOutReason = "expired"): Promise<SessionGrant> {
    if (this.current.status === "signed_out") return Promise.reject(new Problem("signed_out"));
    this.renewing ??= this.changing
      .then(() => this.tabs.exclusively(() => this.gateway.refresh()))
      .then(
        (grant) => {
          // Someone may have signed out while the answer was under way.
          if (this.current.status === "signed_out") throw new Problem("signed_out");
          this.adopt(grant);
          return grant;
        },
        (error: unknown) => {
          if (error instanceof Problem && (error.kind === "signed_out" || error.kind === "forbidden")) {
            this.end(this.grant ? reason : null);
            throw new Problem("signed_out");
          }
          throw error;
        },
      )
      .finally(() => {
        this.renewing = null;
      });
    return this.renewing;
  }

  private async renewQuietly(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.kind === "signed_out") return;
      if (this.current.status !== "signed_in") this.set({ status: "unreachable", problem: error });
      this.schedule(RETRY_MS);
    }
  }

  private schedule(ms: number): void {
    this.cancelTimer();
    this.cancelTimer = this.clock.after(ms, () => void this.renewQuietly());
  }

  private set(state: SessionState): void {
    this.current = state;
    this.listeners.tell();
  }
}
