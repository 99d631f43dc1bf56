import type { Command, NewCommand } from "@/domain/command";
import type { ControlChange, EdgeStatus } from "@/domain/control";
import type { Rule } from "@/domain/rules";

/** The seam for controlling a site. Each call may throw a `Problem`. */
export interface ControlGateway {
  /** The newest first, as many as a page shows. */
  commands(site: number): Promise<Command[]>;
  /** Asked twice with the same id it is one command. */
  order(command: NewCommand): Promise<Command>;
  changes(site: number): Promise<ControlChange[]>;
  /** The rules of all edges of the site. */
  rules(site: number): Promise<Rule[]>;
  status(edge: number): Promise<EdgeStatus>;
}
