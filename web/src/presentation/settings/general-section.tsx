"use client";

import { useMemo, useState } from "react";
import { useSWRConfig } from "swr";
import type { Site } from "@/domain/site";
import { useForm } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Check, Field, SelectField } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { Saved } from "@/presentation/ui/saved";
import { Section } from "@/presentation/ui/section";

const FIELDS = ["name", "timezone", "address", "latitude", "longitude", "operators_may_control"];

export function GeneralSection({ site }: { site: Site }) {
  const { sites } = useServices();
  const { mutate } = useSWRConfig();
  const [saved, setSaved] = useState(0);
  const zones = useMemo(() => timezones(site.timezone), [site.timezone]);
  const form = useForm(FIELDS, async (values) => {
    await sites.change(site.id, {
      name: values.trimmed("name"),
      timezone: values.text("timezone"),
      address: values.trimmed("address"),
      latitude: values.number("latitude") ?? site.latitude,
      longitude: values.number("longitude") ?? site.longitude,
      operatorsMayControl: values.has("operators_may_control"),
    });
    await mutate("sites");
    setSaved((times) => times + 1);
  });
  return (
    <Section title="General" lead="What the site is called, where it is and whose clock it keeps.">
      <form onSubmit={form.onSubmit} className="space-y-4 p-4">
        {form.words ? <FormAlert text={form.words} /> : null}
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Name" name="name" required maxLength={200} defaultValue={site.name} problem={form.wrong("name")} />
          <SelectField label="Time zone" name="timezone" defaultValue={site.timezone} hint="Days and months are counted in it." problem={form.wrong("timezone")} options={zones} />
          <Field label="Address" name="address" maxLength={300} defaultValue={site.address} problem={form.wrong("address")} className="sm:col-span-2" />
          <Field label="Latitude" name="latitude" inputMode="decimal" required defaultValue={site.latitude} hint="Degrees, north is positive." problem={form.wrong("latitude")} />
          <Field label="Longitude" name="longitude" inputMode="decimal" required defaultValue={site.longitude} hint="Degrees, east is positive." problem={form.wrong("longitude")} />
        </div>
        <Check
          name="operators_may_control"
          defaultChecked={site.operatorsMayControl}
          label="Operators may control devices"
          hint="Without this, only site managers and administrators may."
        />
        <div className="flex items-center gap-3">
          <Button type="submit" look="primary" disabled={form.busy}>
            {form.busy ? "Saving…" : "Save the settings"}
          </Button>
          <Saved times={saved} />
        </div>
      </form>
    </Section>
  );
}

/** Those that this browser knows, and the site's own in any case. */
function timezones(own: string): { value: string; label: string }[] {
  const names = new Set([own, "UTC", ...Intl.supportedValuesOf("timeZone")]);
  return [...names].sort().map((value) => ({ value, label: value.replaceAll("_", " ") }));
}
