"use client";

import { useState } from "react";
import { HOLDS, isOver, limitWords, wantedValue, type Command } from "@/domain/command";
import type { Point, Site } from "@/domain/site";
import { useCommands, useProgress } from "@/presentation/hooks/use-control";
import { useForm } from "@/presentation/hooks/use-form";
import { useLivePoint } from "@/presentation/hooks/use-live-point";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Dialog, FormEnd } from "@/presentation/ui/dialog";
import { Field, SelectField } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { CommandProgress } from "./command-progress";
import { shown } from "./shown";

interface Props {
  readonly site: Site;
  readonly point: Point;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}

/** Asks for a value, then shows what becomes of it. */
export function SetpointDialog({ site, point, open, onOpenChange }: Props) {
  const live = useLivePoint(site.wire, point.key);
  const lead = live?.value === undefined || live.value === null ? point.key : `Now ${shown(point, live.value)} · ${point.key}`;
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={`Set ${point.device ? `${point.device.name}: ` : ""}${point.name.toLowerCase()}`} lead={lead}>
      <Ordering site={site} point={point} onClose={() => { onOpenChange(false); }} />
    </Dialog>
  );
}

function Ordering({ site, point, onClose }: { site: Site; point: Point; onClose: () => void }) {
  const { mutate } = useCommands(site);
  const [ordered, setOrdered] = useState<Command | null>(null);
  const command = useProgress(site, ordered);
  if (command === null) {
    return (
      <SetpointForm
        site={site}
        point={point}
        onOrdered={(made) => {
          setOrdered(made);
          void mutate();
        }}
      />
    );
  }
  return (
    <div className="space-y-4">
      <CommandProgress command={command} point={point} />
      <FormEnd>
        <Button onClick={() => { setOrdered(null); }} disabled={!isOver(command.state)}>Set another value</Button>
        <Button look="primary" onClick={onClose}>Close</Button>
      </FormEnd>
    </div>
  );
}

const FIELDS = ["value", "lease"];

function SetpointForm({ site, point, onOrdered }: { site: Site; point: Point; onOrdered: (command: Command) => void }) {
  const { control, newId } = useServices();
  const [text, setText] = useState("");
  const [local, setLocal] = useState<string | null>(null);
  // One id for this form: sent twice, it is one command.
  const [id] = useState(newId);
  const show = (value: number) => shown(point, value);
  const form = useForm(FIELDS, async (values) => {
    const back = values.text("what") === "back";
    const wanted = back ? { value: null } : wantedValue(point, values.text("value"), show);
    setLocal("problem" in wanted ? wanted.problem : null);
    if ("problem" in wanted) return;
    const lease = Number(values.text("lease"));
    onOrdered(await control.order({ id, site: site.id, point: point.id, value: wanted.value, lease: back || !(lease > 0) ? null : lease }));
  });
  const typed = wantedValue(point, text, show);
  const hint = "value" in typed && point.states === null ? `That is ${show(typed.value)}.` : (limitWords(point, show) ?? undefined);
  const problem = local ?? form.wrong("value");
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      <div className="grid gap-4 sm:grid-cols-2">
        {point.states === null ? (
          <Field
            label={point.unit === "" ? "Value" : `Value (${point.unit})`}
            name="value"
            inputMode="decimal"
            autoComplete="off"
            autoFocus
            value={text}
            onChange={(event) => { setText(event.currentTarget.value); }}
            hint={hint}
            problem={problem}
          />
        ) : (
          <SelectField label="State" name="value" autoFocus problem={problem} options={Object.keys(point.states).map((state) => ({ value: state, label: show(Number(state)) }))} />
        )}
        <SelectField
          label="Hold it"
          name="lease"
          disabled={point.fallback === null}
          problem={form.wrong("lease")}
          hint={point.fallback === null ? "It has no default to go back to." : `When that is over: ${show(point.fallback)}.`}
          options={HOLDS}
        />
      </div>
      <FormEnd>
        {point.fallback === null ? null : (
          <Button type="submit" name="what" value="back" disabled={form.busy} formNoValidate>Give it back</Button>
        )}
        <Button type="submit" name="what" value="set" look="primary" disabled={form.busy}>Set the value</Button>
      </FormEnd>
    </form>
  );
}
