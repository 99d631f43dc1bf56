import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import useSWR, { type SWRResponse } from "swr";
import type { Told } from "@/application/live-control";
import { upToDate, type Command } from "@/domain/command";
import { withChanges, type ControlChange, type EdgeStatus } from "@/domain/control";
import type { Rule } from "@/domain/rules";
import type { Site } from "@/domain/site";
import { useServices } from "@/presentation/services";
import { OPTIONS } from "./use-data";

/** A missed frame is made up for in this time. */
const AGAIN_MS = 30_000;

export interface LiveList<T> {
  readonly data: readonly T[] | undefined;
  readonly error: unknown;
  readonly mutate: () => Promise<unknown>;
}

function useTold(site: string): Told {
  const { liveControl } = useServices();
  const subscribe = useCallback((listener: () => void) => liveControl.subscribe(site, listener), [liveControl, site]);
  const read = useCallback(() => liveControl.read(site), [liveControl, site]);
  return useSyncExternalStore(subscribe, read, read);
}

/** The newest commands of a site. Each step is shown as the live link tells it; one that is not known yet is fetched. */
export function useCommands(site: Site): LiveList<Command> {
  const { control } = useServices();
  const { data, error, mutate } = useSWR<Command[], unknown>(["commands", site.id], () => control.commands(site.id), { ...OPTIONS, refreshInterval: AGAIN_MS });
  const { commands: events } = useTold(site.wire);
  const newest = events[0];
  const unknown = newest !== undefined && data?.every((command) => command.id !== newest.id) === true;
  useEffect(() => {
    if (unknown) void mutate();
  }, [unknown, newest, mutate]);
  const current = useMemo(() => data && upToDate(data, events), [data, events]);
  return { data: current, error, mutate };
}

/** What the local rules of a site did, the newest first. */
export function useRuleChanges(site: Site): LiveList<ControlChange> {
  const { control } = useServices();
  const { data, error, mutate } = useSWR<ControlChange[], unknown>(["rule-changes", site.id], () => control.changes(site.id), { ...OPTIONS, refreshInterval: AGAIN_MS });
  const { rules: events } = useTold(site.wire);
  const current = useMemo(() => data && withChanges(data, events), [data, events]);
  return { data: current, error, mutate };
}

/** One command that was just given, as far as it has come. */
export function useProgress(site: Site, given: Command | null): Command | null {
  const { data } = useCommands(site);
  const { commands: events } = useTold(site.wire);
  return useMemo(() => {
    if (given === null) return null;
    return data?.find((command) => command.id === given.id) ?? upToDate([given], events)[0] ?? given;
  }, [given, data, events]);
}

export function useRules(site: number): SWRResponse<Rule[], unknown> {
  const { control } = useServices();
  return useSWR<Rule[], unknown>(["rules", site], () => control.rules(site), OPTIONS);
}

export function useEdgeStatus(edge: number): SWRResponse<EdgeStatus, unknown> {
  const { control } = useServices();
  return useSWR<EdgeStatus, unknown>(["edge-status", edge], () => control.status(edge), { ...OPTIONS, refreshInterval: 10_000 });
}
