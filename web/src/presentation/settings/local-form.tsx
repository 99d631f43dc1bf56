"use client";

import { useState } from "react";
import { listOf, listText, type Edge, type LocalConfiguration } from "@/domain/site-settings";
import { useForm } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { FormEnd } from "@/presentation/ui/dialog";
import { AreaField } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";

type Part = keyof LocalConfiguration;

const PARTS: readonly { name: Part; label: string; hint: string; example: string }[] = [
  {
    name: "rules", label: "Rules", hint: "Schedules, switching between two limits, and limits that are held, such as a peak of the grid.",
    example: '[{"kind": "limit", "key": "peak", "name": "Peak shaving", "point": "battery.power_setpoint", "input": "grid_meter.active_power", "maximum": 60000, "low": 0, "high": 50000, "priority": 5}]',
  },
  {
    name: "derived", label: "Derived points", hint: "Computed from other points with each read.",
    example: '[{"key": "site.load", "name": "Load", "unit": "W", "expression": "grid_meter.active_power + pv_inverter.active_power"}]',
  },
  {
    name: "reporting", label: "Reporting", hint: "Which samples are worth sending; empty: all of them.",
    example: '[{"points": ["*.temperature"], "deadband": 0.2, "heartbeat": 60}]',
  },
];
const NOT_A_LIST = "Write a list in JSON: [ … ]. Quotes are double, and nothing stands after the last comma.";

/** The configuration of an edge beside its devices, as it is written. */
export function LocalForm({ edge, onDone }: { edge: Edge; onDone: () => Promise<void> }) {
  const { equipment } = useServices();
  const [broken, setBroken] = useState<readonly Part[]>([]);
  const form = useForm(PARTS.map((part) => part.name), async (values) => {
    const lists = PARTS.map((part) => ({ name: part.name, list: listOf(values.text(part.name)) }));
    const wrong = lists.filter(({ list }) => list === null).map(({ name }) => name);
    setBroken(wrong);
    if (wrong.length > 0) return;
    const [rules, derived, reporting] = lists.map(({ list }) => list ?? []);
    await equipment.configureEdge(edge.id, { rules: rules ?? [], derived: derived ?? [], reporting: reporting ?? [] });
    await onDone();
  });
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      {PARTS.map((part) => (
        <AreaField
          key={part.name}
          label={part.label}
          name={part.name}
          rows={part.name === "rules" ? 7 : 4}
          spellCheck={false}
          className="[&_textarea]:text-xs"
          defaultValue={listText(edge.local[part.name])}
          placeholder={part.example}
          hint={part.hint}
          problem={broken.includes(part.name) ? NOT_A_LIST : form.wrong(part.name)}
        />
      ))}
      <FormEnd>
        <Button type="submit" look="primary" disabled={form.busy}>Save</Button>
      </FormEnd>
    </form>
  );
}
