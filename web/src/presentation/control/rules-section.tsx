"use client";

import type { SWRResponse } from "swr";
import { priorityWord, ruleWords, type Reading, type Rule } from "@/domain/rules";
import type { Point, Site } from "@/domain/site";
import { useLivePoint } from "@/presentation/hooks/use-live-point";
import { Badge } from "@/presentation/ui/badge";
import { List } from "@/presentation/ui/list";
import { Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";
import { shown } from "@/presentation/setpoint/shown";

/** What the edges do by themselves, with or without a network. */
export function RulesSection({ site, rules, points }: { site: Site; rules: SWRResponse<Rule[], unknown>; points: readonly Point[] }) {
  const reading = readingOf(points);
  return (
    <Section title="Local rules" lead="What the edge does by itself, also without a network. Rules are part of its configuration.">
      <List data={rules} label="Local rules" empty="This site's edges follow no rules of their own. A site manager writes them in Settings, Edges, Rules.">
        {(rule) => <RuleRow key={rule.key} site={site} rule={rule} reading={reading} />}
      </List>
    </Section>
  );
}

function RuleRow({ site, rule, reading }: { site: Site; rule: Rule; reading: Reading }) {
  const active = useLivePoint(site.wire, `${rule.key}.active`);
  const output = useLivePoint(site.wire, `${rule.key}.output`);
  const on = active?.value === 1;
  return (
    <Row
      data-testid="rule"
      title={rule.name}
      note={
        <div className="space-y-0.5">
          {ruleWords(rule, reading).map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          <p className="text-faint">Priority {rule.priority ?? 10}: {priorityWord(rule.priority ?? 10)}</p>
        </div>
      }
    >
      {on && output?.value !== undefined && output.value !== null ? (
        <span className="text-[13px] font-medium tabular-nums">{reading.show(rule.point, output.value)}</span>
      ) : null}
      <Badge tone={on ? "accent" : "plain"}>{rule.enabled === false ? "Off" : on ? "Acting" : "Waiting"}</Badge>
    </Row>
  );
}

export function readingOf(points: readonly Point[]): Reading {
  const known = new Map(points.map((point) => [point.key, point]));
  return {
    name: (key) => {
      const point = known.get(key);
      if (point === undefined) return key;
      return point.device ? `${point.device.name} ${point.name.toLowerCase()}` : point.name.toLowerCase();
    },
    show: (key, value) => {
      const point = known.get(key);
      return point === undefined ? String(value) : shown(point, value);
    },
  };
}
