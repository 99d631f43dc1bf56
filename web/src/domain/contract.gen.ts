// Generated from contract/schema/contract.schema.json by `npm run gen:contract`; do not edit.

export type AlertState = "acknowledged" | "cleared" | "raised";
export type Severity = "critical" | "info" | "warning";
export type CommandState =
  "expired" | "failed" | "rejected" | "requested" | "reverted" | "sent" | "verified" | "written";
export type Kind = "gauge" | "register" | "state";
export type ControlAction = "adjusted" | "failed" | "overruled" | "stale" | "started" | "stopped";
export type Kind1 = "gauge" | "register" | "state";
/**
 * Codes of an `error` frame; the session goes on.
 */
export type ErrorCode = 400 | 404 | 429;
/**
 * What a role may allow on a site; the matrix itself is in the backend's `accounts/policy.py`.
 */
export type Action =
  | "acknowledge_alerts"
  | "add_site_users"
  | "control_devices"
  | "export_reports"
  | "manage_org_users"
  | "manage_site"
  | "view";
/**
 * Why a command was rejected, failed, expired or reverted; for people, `detail` says it in a sentence.
 */
export type CommandReason =
  | "above_maximum"
  | "below_minimum"
  | "device_refused"
  | "device_silent"
  | "expired"
  | "interrupted"
  | "lease_ended"
  | "not_a_state"
  | "not_kept"
  | "not_sent"
  | "overruled"
  | "read_back_differs"
  | "read_only"
  | "released"
  | "replayed"
  | "superseded"
  | "unknown_point";
export type Quality = "bad" | "good" | "uncertain";
/**
 * Why a sample is not good. A bad sample has value null; an uncertain one keeps its value.
 */
export type Reason =
  | "connection_lost"
  | "device_exception"
  | "future"
  | "garbled"
  | "no_value"
  | "not_polled"
  | "other"
  | "out_of_range"
  | "stuck"
  | "timeout"
  | "unsynchronised_clock";

/**
 * Generated from ems_contract; do not edit. Consumers ignore fields they do not know.
 */
export interface Contract {
  access_event?: AccessEvent;
  alert_event?: AlertEvent;
  batch?: Batch;
  client_frame?: Auth | Subscribe | Unsubscribe | Ping;
  command?: Command;
  command_event?: CommandEvent;
  edge_config?: EdgeConfig;
  edge_event?: CommandEvent | ControlEvent | ConfigEvent;
  edge_status?: EdgeStatus;
  grant?: Grant;
  points_report?: PointsReport;
  server_frame?:
    | Welcome
    | GrantChanged
    | Snapshot
    | Telemetry
    | Merged
    | GapNotice
    | Alert
    | CommandChanged
    | ControlChanged
    | ErrorFrame
    | Pong
    | Heartbeat;
  session_answer?: SessionAnswer;
  session_request?: SessionRequest;
  Action?: Action;
  CloseCode?: CloseCode;
  CommandReason?: CommandReason;
  Kind?: Kind1;
  Quality?: Quality;
  Reason?: Reason;
}
/**
 * On `user:<id>:permission_changed`: the user's access changed; every grant of an older epoch is void.
 */
export interface AccessEvent {
  v: number;
  user: number;
  epoch: number;
  reason: string;
}
/**
 * One change of one alert. `id` is the alert's, the same in all its events.
 */
export interface AlertEvent {
  v: number;
  id: string;
  state: AlertState;
  severity: Severity;
  ts: number;
  rule: string;
  message: string;
  point?: string | null;
  value?: number | null;
  by?: string | null;
}
/**
 * See the module. `seq` starts at 1 at each boot; `sent` is when the edge made the batch.
 */
export interface Batch {
  v: number;
  edge: string;
  boot: string;
  seq: number;
  sent: number;
  readings: Reading[];
  gaps?: Gap[] | null;
}
/**
 * Values of several points at one instant.
 */
export interface Reading {
  ts: number;
  values: {
    [k: string]: number | null;
  };
  quality?: {
    [k: string]: string;
  } | null;
}
/**
 * A span for which the edge knows that samples are missing.
 *
 * `start` and `end` in ms. When it had to give up batches it had made, `boot`, `seq_from` and `seq_to` name them,
 * and history enters them in the receipt as done.
 */
export interface Gap {
  from: number;
  to: number;
  reason: string;
  boot?: string | null;
  seq_from?: number | null;
  seq_to?: number | null;
}
/**
 * First message, and again before the token expires.
 */
export interface Auth {
  type: "auth";
  token: string;
}
/**
 * `interval`, ms: at most one telemetry frame of each site in this time, as `merged`; it is rounded up to the next
 * of INTERVALS. 0: every batch as it comes. Again for the same site with another interval: a fresh snapshot, then so.
 */
export interface Subscribe {
  type: "subscribe";
  sites: string[];
  interval?: number;
}
/**
 * Nothing of these sites comes any more. A site that is not subscribed is ignored.
 */
export interface Unsubscribe {
  type: "unsubscribe";
  sites: string[];
}
/**
 * Answered by `pong` with the same `id`.
 */
export interface Ping {
  type: "ping";
  id?: number;
}
/**
 * Hold `point` at `value` (in the point's unit) until another command or, with one, until the lease ends.
 *
 * `value` None gives the point back: its default is restored. `lease` in s, counted from the write.
 */
export interface Command {
  v: number;
  id: string;
  point: string;
  value: number | null;
  requested: number;
  expires: number;
  requested_by: string;
  lease?: number | null;
}
/**
 * One step of one command, for the browser and the audit log. `value` is what was asked for.
 */
export interface CommandEvent {
  type: "command";
  v: number;
  id: string;
  point: string;
  state: CommandState;
  ts: number;
  value?: number | null;
  reason?: string | null;
  detail?: string | null;
  read_back?: number | null;
  lease_until?: number | null;
}
/**
 * What an edge needs to run. `revision` changes whenever anything in it does; `poll_interval` in s.
 */
export interface EdgeConfig {
  revision: string;
  devices: Device[];
  poll_interval?: number;
  setpoints?: SetpointLimits[];
  derived?: DerivedPoint[];
  reporting?: ReportPolicy[];
  rules?: (ScheduleRule | HysteresisRule | LimitRule)[];
}
/**
 * An addressable protocol endpoint.
 *
 * `key` is the first word of its points' keys, `profile` names a register map, `connection` is the driver's own
 * (Modbus TCP: host, port, unit, timeout in s) and may hold a password. `poll_interval` in s overrides the edge's.
 */
export interface Device {
  key: string;
  name: string;
  driver: string;
  profile: string;
  connection: {
    [k: string]: string | number | boolean;
  };
  poll_interval?: number | null;
}
/**
 * What people decided for a writable point, in its unit; None: what its profile says.
 */
export interface SetpointLimits {
  point: string;
  minimum?: number | null;
  maximum?: number | null;
  default?: number | null;
}
/**
 * A point computed on the edge: `key` is a whole point key whose first word is no device's and no rule's.
 *
 * `expression` is arithmetic over point keys: `grid_meter.active_power + pv_inverter.active_power`; with
 * + - * / ** %, comparisons, `and or not`, `a if b else c`, min, max, abs, round, clamp. It has no value, with the
 * reason, whenever one of the points it needs has none; division by 0 is `no_value`, a result too large to be a
 * number `out_of_range`. Nothing is converted: the unit is what the author says that the result is in.
 */
export interface DerivedPoint {
  key: string;
  name: string;
  unit: string;
  expression: string;
  kind?: Kind;
}
/**
 * Which samples of the points that match `points` (keys, `*` stands for any characters) are sent.
 *
 * The first policy that matches a point counts; a point that none matches is sent with each read. A sample is sent
 * when it is `deadband` (in the unit) or `deadband_percent` (of the last one sent) away from the last one sent, the
 * wider of the two where both are given, any change where neither is; when its quality changed; and in any case once
 * in every `heartbeat` s of the clock. A state is sent when it changes, whatever the deadband.
 *
 * With a `window` in s, aligned on the clock, samples are first drawn together into one at the window's end by
 * `aggregate`, the mean weighted by time; registers and states always by `last`. A window in which some samples have
 * no value is uncertain with their reason, one in which none has a value is bad.
 *
 * History holds a value for 15 min, its finest averages are of a minute: hence a heartbeat of at most 600 s, and 60 s
 * where nobody says otherwise.
 */
export interface ReportPolicy {
  points: string[];
  deadband?: number | null;
  deadband_percent?: number | null;
  heartbeat?: number;
  window?: number | null;
  aggregate?: "last" | "maximum" | "mean" | "minimum";
}
/**
 * Claims the value of the first window that holds now; outside of all, claims nothing.
 */
export interface ScheduleRule {
  kind: "schedule";
  key: string;
  name: string;
  point: string;
  priority?: number;
  enabled?: boolean;
  windows?: Window[];
}
/**
 * From `start` to `end` ("07:00", "24:00"; an end at or before the start is on the next day) on these weekdays.
 *
 * Monday is 0; the day is the one on which the window starts. The times are what a clock on the site's wall shows, so
 * a window in the hour that a change to winter time repeats is there twice.
 */
export interface Window {
  start: string;
  end: string;
  value: number;
  days?: number[];
}
/**
 * Claims `on_value` from when `input` passes `on_at` until it passes `off_at`, else `off_value` (None: nothing).
 *
 * On above: `on_at` > `off_at` (cooling). On below: `on_at` < `off_at` (heating, charging). Once on it stays so for
 * `minimum_on` s, once off for `minimum_off` s, which also pass after a start of the edge.
 */
export interface HysteresisRule {
  kind: "hysteresis";
  key: string;
  name: string;
  point: string;
  priority?: number;
  enabled?: boolean;
  input?: string;
  on_at?: number;
  off_at?: number;
  on_value?: number;
  off_value?: number | null;
  minimum_on?: number;
  minimum_off?: number;
  stale_after?: number;
}
/**
 * Holds `input` at or below `maximum`, or at or above `minimum`, by moving `point`; it aims `margin` within them.
 *
 * `effect` is by how much the input changes when the output rises by one: a battery's setpoint (+ is discharge) on the
 * grid's power (+ is import) has −1, a load's enable of 4 kW has 4000. Peak shaving is a `maximum` on the grid's
 * import, an export limit a `minimum` below 0.
 *
 * The output stays within `low`..`high`, as near to `rest` as the limits allow. It moves at most `ramp` a second, away
 * from rest as fast as that allows and back to it slowly. `response` is how many s it takes until a move is seen in
 * the input: until then the move is counted on, not repeated. The point of a state moves in whole steps.
 *
 * Once the rule claims its point it does so for `minimum_on` s (in whole steps: away from rest), and lets go when it
 * is back at rest; once it let go it claims nothing for `minimum_off` s, whatever the input is.
 */
export interface LimitRule {
  kind: "limit";
  key: string;
  name: string;
  point: string;
  priority?: number;
  enabled?: boolean;
  input?: string;
  maximum?: number | null;
  minimum?: number | null;
  effect?: number;
  low?: number;
  high?: number;
  rest?: number;
  margin?: number;
  ramp?: number | null;
  response?: number;
  minimum_on?: number;
  minimum_off?: number;
  stale_after?: number;
  when_stale?: "hold" | "release";
}
/**
 * One thing that a rule did, at `ts`; `id` is unique, so that a repeated event is known. `input` as it was then.
 */
export interface ControlEvent {
  type: "control";
  v: number;
  id: string;
  rule: string;
  point: string;
  action: ControlAction;
  ts: number;
  value?: number | null;
  input?: number | null;
  detail?: string | null;
}
/**
 * The edge took configuration `revision`, or refused it: then `problem` says why, and the old one stays.
 */
export interface ConfigEvent {
  type: "config";
  v: number;
  revision: string;
  ts: number;
  problem?: string;
}
/**
 * How an edge is doing, written to `keys.edge_status` every 10 s. Times in ms, sizes in bytes.
 *
 * `backlog` batches wait for their receipt, the oldest from `oldest`; `dropped` batches were lost to a full buffer in
 * this boot. `offset` is how far the edge's clock is ahead of Redis'. `problems`: what keeps it from being ready.
 */
export interface EdgeStatus {
  v: number;
  boot: string;
  software: string;
  ts: number;
  revision: string;
  backlog: number;
  backlog_size: number;
  devices: DeviceHealth[];
  oldest?: number | null;
  dropped?: number;
  offset?: number | null;
  config_problem?: string;
  problems?: {
    [k: string]: string;
  };
}
/**
 * `good` of `points` have a good value now; `answered` is the time (ms) of the last read with any.
 *
 * `reason` is the most frequent one of the others, `since` when the first of them began, ms.
 */
export interface DeviceHealth {
  key: string;
  points: number;
  good: number;
  answered?: number | null;
  reason?: string | null;
  since?: number | null;
}
/**
 * The answer of `GET /api/validate-token`. `expires`: when the presented token ends, ms since the epoch.
 */
export interface Grant {
  user: GrantUser;
  sites: SiteGrant[];
  expires: number;
}
export interface GrantUser {
  id: number;
  email: string;
  name: string;
  platform_admin?: boolean;
  developer?: boolean;
}
/**
 * What is allowed on one site, as values of `Action`. `site` is the site's name on the wire, `site_7`.
 *
 * An action that the reader does not know yet allows it nothing, and does not make the grant unreadable.
 */
export interface SiteGrant {
  site: string;
  name: string;
  organization: number;
  role: string;
  actions: string[];
}
/**
 * All points that the edge's devices and profiles define; Django upserts them and never reuses an id.
 */
export interface PointsReport {
  points: Point[];
}
/**
 * A point as its edge reports it, made from the device and its profile.
 *
 * `key` is `<device>.<name in the profile>`; `minimum` and `maximum` are in `unit`; `states` names the numbers
 * of a state point.
 */
export interface Point {
  key: string;
  name: string;
  unit: string;
  kind: Kind1;
  device: string;
  writable?: boolean;
  minimum?: number | null;
  maximum?: number | null;
  states?: {
    [k: string]: string;
  } | null;
  default?: number | null;
}
/**
 * Authenticated. `expires` is when the session needs a fresh `auth`; `heartbeat` the longest silence, ms.
 */
export interface Welcome {
  type: "welcome";
  session: string;
  server_time: number;
  expires: number;
  heartbeat: number;
  sites: SiteGrant[];
}
/**
 * The grant was renewed or narrowed. `stale`: the backend cannot be reached and the last grant is kept.
 */
export interface GrantChanged {
  type: "grant";
  expires: number;
  stale: boolean;
  sites: SiteGrant[];
}
/**
 * The current image of a site, one batch for each edge. First frame after a subscribe and after a gap.
 */
export interface Snapshot {
  type: "snapshot";
  site: string;
  batches: Batch[];
}
/**
 * Batches of a site as they were published, each whole and once, of one edge and boot in the order of seq.
 */
export interface Telemetry {
  type: "telemetry";
  site: string;
  batches: Batch[];
}
/**
 * Telemetry for a client that asked for an interval: what came since the frame before, merged.
 */
export interface Merged {
  type: "merged";
  site: string;
  interval: number;
  batches: MergedBatch[];
}
/**
 * The batches `seq_from`..`seq_to` of one boot of an edge, every one of them heard, as one: of each point its last
 * sample only, and all their `gaps`. `sent` is that of the last. What lies between two of these without being named
 * is missing.
 */
export interface MergedBatch {
  edge: string;
  boot: string;
  seq_from: number;
  seq_to: number;
  sent: number;
  readings: Reading[];
  gaps?: Gap[] | null;
}
/**
 * Live samples of the site since `since` may be missing; a snapshot follows. `reason`: `interrupted` (the service
 * did not hear Redis), `slow_reader` (the client did not read), `access_checked` (the user's access has changed).
 */
export interface GapNotice {
  type: "gap";
  site: string;
  since: number;
  reason: string;
}
/**
 * An alert of the site was raised, acknowledged or cleared. Never left out, never delayed.
 */
export interface Alert {
  type: "alert";
  site: string;
  alert: AlertEvent;
}
/**
 * A step of a command to a device of the site. Never left out, never delayed.
 */
export interface CommandChanged {
  type: "command";
  site: string;
  command: CommandEvent;
}
/**
 * What a rule at an edge of the site did. Never left out, never delayed.
 */
export interface ControlChanged {
  type: "control";
  site: string;
  control: ControlEvent;
}
/**
 * Something that was asked for is refused, and the session goes on. `message` is for people.
 */
export interface ErrorFrame {
  type: "error";
  code: ErrorCode;
  message: string;
  site?: string | null;
}
/**
 * The answer to a `ping`.
 */
export interface Pong {
  type: "pong";
  id: number;
  server_time: number;
}
/**
 * Sent when nothing else was for a while, and at once when `live` changes: the service itself hears Redis.
 */
export interface Heartbeat {
  type: "heartbeat";
  server_time: number;
  live: boolean;
}
/**
 * `site` and `edge` as named on the wire (`site_7`, `edge_3`); `timezone` is IANA.
 */
export interface SessionAnswer {
  edge: string;
  edge_name: string;
  site: string;
  site_name: string;
  timezone: string;
  redis: RedisAccess;
  config: EdgeConfig;
}
/**
 * Where and as whom this edge publishes. `url` carries no credentials.
 */
export interface RedisAccess {
  url: string;
  username: string;
  password: string;
}
/**
 * `boot` as in the edge's batches; `software` is name and version, for the operator.
 */
export interface SessionRequest {
  boot: string;
  software: string;
}

/**
 * Why the service closes.
 */
export enum CloseCode {
  SERVICE_RESTART = 1012,
  TRY_AGAIN_LATER = 1013,
  BAD_MESSAGE = 4400,
  UNAUTHENTICATED = 4401,
  FORBIDDEN = 4403,
  AUTH_TIMEOUT = 4408,
  GRANT_REVOKED = 4410,
  TOO_SLOW = 4413,
  TOO_MANY = 4429
}
