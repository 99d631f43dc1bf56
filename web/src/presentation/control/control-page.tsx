"use client";

import type { Site } from "@/domain/site";
import { useCommands, useRuleChanges, useRules } from "@/presentation/hooks/use-control";
import { usePoints } from "@/presentation/hooks/use-data";
import { useWatch } from "@/presentation/hooks/use-watch";

import { SiteGate } from "@/presentation/site-gate";
import { ProblemNotice } from "@/presentation/ui/notice";
import { SectionsSkeleton } from "@/presentation/ui/sections-skeleton";
import { SiteHead } from "@/presentation/ui/site-head";
import { ChangesSection } from "./changes-section";
import { CommandsSection } from "./commands-section";
import { readingOf, RulesSection } from "./rules-section";
import { SetpointsSection } from "./setpoints-section";

export function ControlPage({ id }: { id: string }) {
  return <SiteGate id={id} skeleton={<SectionsSkeleton label="Loading the controls" />}>{(site) => <Control site={site} />}</SiteGate>;
}

/** What can be set, what was set, and what the edge sets by itself. */
function Control({ site }: { site: Site }) {
  const { data: points, error, mutate } = usePoints(site.id);
  const commands = useCommands(site);
  const rules = useRules(site.id);
  const changes = useRuleChanges(site);
  useWatch([site.wire]);
  if (!points) return error === undefined ? <SectionsSkeleton label="Loading the controls" /> : <ProblemNotice problem={error} retry={() => void mutate()} />;
  return (
    <div className="mx-auto max-w-5xl space-y-6">
      <SiteHead site={site} page="control" />
      <div className="space-y-6">
      <SetpointsSection site={site} points={points} commands={commands.data ?? []} />
      <CommandsSection commands={commands} points={points} />
      <RulesSection site={site} rules={rules} points={points} />
      {rules.data?.length === 0 && changes.data?.length === 0 ? null : (
        <ChangesSection changes={changes} rules={rules.data ?? []} reading={readingOf(points)} />
      )}
      </div>
    </div>
  );
}
