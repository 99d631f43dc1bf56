"use client";

import type { Edge } from "@/domain/site-settings";
import { useForm } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { FormEnd } from "@/presentation/ui/dialog";
import { Field } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";

const DEFAULT_INTERVAL_S = 5;

/** `site` for a new edge, `edge` for one that is there. */
export function EdgeForm({ site, edge, onDone }: { site: number | null; edge: Edge | null; onDone: () => Promise<void> }) {
  const { equipment } = useServices();
  const form = useForm(["name", "poll_interval"], async (values) => {
    const change = { name: values.trimmed("name"), pollInterval: values.number("poll_interval") ?? DEFAULT_INTERVAL_S };
    if (edge) await equipment.changeEdge(edge.id, change);
    else if (site !== null) await equipment.createEdge(site, change);
    await onDone();
  });
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      <Field label="Name" name="name" required autoFocus maxLength={200} defaultValue={edge?.name ?? ""} placeholder="Cabinet hall 2" problem={form.wrong("name")} />
      <Field
        label="Reads every (s)"
        name="poll_interval"
        inputMode="decimal"
        required
        defaultValue={edge?.pollInterval ?? DEFAULT_INTERVAL_S}
        hint="Seconds, from 0.1 to 3600. A device may have an interval of its own."
        problem={form.wrong("poll_interval")}
      />
      <FormEnd>
        <Button type="submit" look="primary" disabled={form.busy}>
          {edge ? "Save the edge" : "Make the edge"}
        </Button>
      </FormEnd>
    </form>
  );
}
