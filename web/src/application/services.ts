import type { ControlGateway } from "./control-ports";
import type { FillHoles } from "./fill-holes";
import type { LiveControl } from "./live-control";
import type { LivePoints } from "./live-points";
import type { LiveTraces } from "./live-traces";
import type { Clock, HistoryGateway, LiveLink, SiteGateway } from "./ports";
import type { AccountGateway, AuditGateway, AuthGateway, EquipmentGateway, PeopleGateway, TokenGateway } from "./people-ports";
import type { Session } from "./session";
import type { WatchSites } from "./watch-sites";

/** Everything that the pages work with; made once by the composition. */
export interface Services {
  readonly auth: AuthGateway;
  readonly session: Session;
  readonly account: AccountGateway;
  readonly tokens: TokenGateway;
  readonly people: PeopleGateway;
  readonly audit: AuditGateway;
  readonly sites: SiteGateway;
  readonly equipment: EquipmentGateway;
  readonly history: HistoryGateway;
  readonly control: ControlGateway;
  readonly liveControl: LiveControl;
  readonly link: LiveLink;
  readonly watch: WatchSites;
  readonly points: LivePoints;
  readonly traces: LiveTraces;
  readonly holes: FillHoles;
  readonly clock: Clock;
  /** A random UUID. */
  readonly newId: () => string;
  /** Tells when the grant behind the live link changed, so that lists are fetched again. */
  readonly onAccessChange: (listener: () => void) => () => void;
}

/** What the server tells the browser at run time. */
export interface ClientConfig {
  readonly wsUrl: string;
  readonly adminUrl: string;
}
