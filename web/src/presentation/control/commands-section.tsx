"use client";

import { stateOf, toneOf, whyOf, type Command } from "@/domain/command";
import type { Point } from "@/domain/site";
import type { LiveList } from "@/presentation/hooks/use-control";
import { Badge } from "@/presentation/ui/badge";
import { Facts } from "@/presentation/ui/facts";
import { List } from "@/presentation/ui/list";
import { Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";
import { Ago } from "@/presentation/ui/when";
import { asked } from "@/presentation/setpoint/shown";

/** What people asked for, the newest first, each as far as it has come. */
export function CommandsSection({ commands, points }: { commands: LiveList<Command>; points: readonly Point[] }) {
  const known = new Map(points.map((point) => [point.key, point]));
  return (
    <Section title="Commands" lead="What people asked for. Each is recorded with who, when and what came of it.">
      <List data={commands} label="Commands" empty="Nobody has set anything here yet. What is set shows up here at once.">
        {(command) => <CommandRow key={command.id} command={command} point={known.get(command.key)} />}
      </List>
    </Section>
  );
}

function CommandRow({ command, point }: { command: Command; point: Point | undefined }) {
  const why = command.state === "verified" ? null : whyOf(command);
  return (
    <Row
      data-testid="command-row"
      title={
        <>
          <span>{point === undefined ? command.key : `${point.device ? `${point.device.name}: ` : ""}${point.name.toLowerCase()}`}</span>
          <span className="tabular-nums text-quiet">→ {asked(point, command.value)}</span>
        </>
      }
      note={<Facts items={[command.requestedBy, <Ago key="when" ts={command.requested} />, why]} />}
    >
      <Badge tone={toneOf(command.state)}>{stateOf(command)}</Badge>
    </Row>
  );
}
