"use client";

import { actionWord, type ControlChange } from "@/domain/control";
import type { Reading, Rule } from "@/domain/rules";
import type { LiveList } from "@/presentation/hooks/use-control";
import { Facts } from "@/presentation/ui/facts";
import { List } from "@/presentation/ui/list";
import { Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";
import { Ago } from "@/presentation/ui/when";

/** What the rules did, the newest first. */
export function ChangesSection({ changes, rules, reading }: { changes: LiveList<ControlChange>; rules: readonly Rule[]; reading: Reading }) {
  const names = new Map(rules.map((rule) => [rule.key, rule]));
  return (
    <Section title="What rules did">
      <List data={changes} label="What rules did" empty="No rule has acted yet.">
        {(change) => {
          const input = names.get(change.rule);
          const inputKey = input === undefined || input.kind === "schedule" ? null : (input.input ?? null);
          return (
            <Row
              key={change.id}
              data-testid="rule-change"
              title={
                <>
                  <span>{input?.name ?? change.rule}</span>
                  <span className="font-normal text-quiet">
                    {actionWord(change.action)} {reading.name(change.key)}
                  </span>
                </>
              }
              note={
                <Facts
                  items={[
                    <Ago key="when" ts={change.at} />,
                    change.input === null || inputKey === null ? null : `${reading.name(inputKey)} was ${reading.show(inputKey, change.input)}`,
                    change.detail,
                  ]}
                />
              }
            >
              {change.value === null ? null : <span className="text-[13px] font-medium tabular-nums">{reading.show(change.key, change.value)}</span>}
            </Row>
          );
        }}
      </List>
    </Section>
  );
}
