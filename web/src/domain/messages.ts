import type { Contract } from "./contract.gen";

/** The contract's unions under names; the generator leaves them inside `Contract`. */
export type ServerFrame = NonNullable<Contract["server_frame"]>;
export type ClientFrame = NonNullable<Contract["client_frame"]>;
export type Batch = NonNullable<Contract["batch"]>;
export type MergedBatch = Extract<ServerFrame, { type: "merged" }>["batches"][number];
export type Reading = Batch["readings"][number];
export type Gap = NonNullable<Batch["gaps"]>[number];
export type Grant = NonNullable<Contract["grant"]>;
export type SiteGrant = Grant["sites"][number];
export type AlertEvent = NonNullable<Contract["alert_event"]>;
export type CommandEvent = NonNullable<Contract["command_event"]>;
export type ControlEvent = Extract<ServerFrame, { type: "control" }>["control"];
