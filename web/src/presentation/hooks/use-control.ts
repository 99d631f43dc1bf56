import { useEffect } from "react";
import useSWR, { type SWRResponse } from "swr";
import { withEvent, type Command } from "@/domain/command";
import { changeOf, type ControlChange, type EdgeStatus } from "@/domain/control";
import type { Rule } from "@/domain/rules";
import type { Site } from "@/domain/site";
import { useServices } from "@/presentation/services";
import { OPTIONS } from "./use-data";

/** A missed frame is made up for in this time. */
const AGAIN_MS = 30_000;
const MOST = 100;

/** The newest commands of a site. Each step is shown as the live link tells it; one that is not known yet is fetched. */
export function useCommands(site: Site): SWRResponse<Command[], unknown> {
  const { control, liveControl } = useServices();
  const answer = useSWR<Command[], unknown>(["commands", site.id], () => control.commands(site.id), { ...OPTIONS, refreshInterval: AGAIN_MS });
  const { mutate } = answer;
  useEffect(
    () =>
      liveControl.onCommand(site.wire, (event) => {
        void mutate((known) => known?.map((command) => withEvent(command, event)), {
          revalidate: (known: Command[] | undefined) => known?.every((command) => command.id !== event.id) ?? true,
        });
      }),
    [liveControl, site.wire, mutate],
  );
  return answer;
}

/** What the local rules of a site did, the newest first. */
export function useRuleChanges(site: Site): SWRResponse<ControlChange[], unknown> {
  const { control, liveControl } = useServices();
  const answer = useSWR<ControlChange[], unknown>(["rule-changes", site.id], () => control.changes(site.id), { ...OPTIONS, refreshInterval: AGAIN_MS });
  const { mutate } = answer;
  useEffect(
    () =>
      liveControl.onRule(site.wire, (event) => {
        void mutate((known) => known && [changeOf(event), ...known.filter((change) => change.id !== event.id)].slice(0, MOST), { revalidate: false });
      }),
    [liveControl, site.wire, mutate],
  );
  return answer;
}

export function useRules(site: number): SWRResponse<Rule[], unknown> {
  const { control } = useServices();
  return useSWR<Rule[], unknown>(["rules", site], () => control.rules(site), OPTIONS);
}

export function useEdgeStatus(edge: number): SWRResponse<EdgeStatus, unknown> {
  const { control } = useServices();
  return useSWR<EdgeStatus, unknown>(["edge-status", edge], () => control.status(edge), { ...OPTIONS, refreshInterval: 10_000 });
}
