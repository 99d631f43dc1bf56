import type { CommandEvent, ControlEvent } from "@/domain/messages";

/** Commands and rules as the live link tells of them: whoever shows a site's is told at once. */
export class LiveControl {
  private readonly commands = new Map<string, Set<(event: CommandEvent) => void>>();
  private readonly rules = new Map<string, Set<(event: ControlEvent) => void>>();

  onCommand(site: string, listener: (event: CommandEvent) => void): () => void {
    return add(this.commands, site, listener);
  }

  onRule(site: string, listener: (event: ControlEvent) => void): () => void {
    return add(this.rules, site, listener);
  }

  tellCommand(site: string, event: CommandEvent): void {
    for (const listener of this.commands.get(site) ?? []) listener(event);
  }

  tellRule(site: string, event: ControlEvent): void {
    for (const listener of this.rules.get(site) ?? []) listener(event);
  }
}

function add<T>(all: Map<string, Set<T>>, site: string, listener: T): () => void {
  const own = all.get(site) ?? new Set<T>();
  all.set(site, own.add(listener));
  return () => {
    own.delete(listener);
  };
}
