"use client";

import { useState } from "react";
import { connectionOf, connectionText, driverOf, DRIVERS, type AssetNode, type DeviceSettings, type Edge } from "@/domain/site-settings";
import { useForm } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { FormEnd } from "@/presentation/ui/dialog";
import { AreaField, Field, SelectField } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";

interface Props {
  readonly device: DeviceSettings | null;
  readonly edges: readonly Edge[];
  readonly assets: readonly AssetNode[];
  readonly onDone: () => Promise<void>;
}

const FIELDS = ["name", "key", "edge", "asset", "driver", "profile", "connection", "poll_interval"];
const NOT_JSON = 'Write an object, such as {"host": "10.0.0.5", "port": 502, "unit": 1}.';

export function DeviceForm({ device, edges, assets, onDone }: Props) {
  const { equipment } = useServices();
  const [broken, setBroken] = useState(false);
  const [driver, setDriver] = useState(device?.driver ?? DRIVERS[0].value);
  const usual = driverOf(driver);
  const form = useForm(FIELDS, async (values) => {
    const connection = connectionOf(values.text("connection"));
    setBroken(connection === null);
    if (connection === null) return;
    await equipment.saveDevice(
      {
        key: device?.key ?? values.trimmed("key"),
        name: values.trimmed("name"),
        edge: Number(values.text("edge")),
        asset: values.text("asset") === "" ? null : Number(values.text("asset")),
        driver: values.text("driver"),
        profile: values.trimmed("profile"),
        connection,
        pollInterval: values.number("poll_interval"),
      },
      device?.id ?? null,
    );
    await onDone();
  });
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name" name="name" required autoFocus maxLength={200} defaultValue={device?.name ?? ""} placeholder="Grid meter" problem={form.wrong("name")} />
        <Field
          label="Key"
          name="key"
          required
          disabled={device !== null}
          defaultValue={device?.key ?? ""}
          placeholder="grid_meter"
          pattern="[a-z][a-z0-9_]*"
          hint={device ? "Its points begin with it, so it stays." : "Lower case; its points begin with it."}
          problem={form.wrong("key")}
        />
        <SelectField label="Edge" name="edge" defaultValue={device?.edge ?? edges[0]?.id ?? ""} problem={form.wrong("edge")} options={edges.map((edge) => ({ value: String(edge.id), label: edge.name }))} />
        <SelectField
          label="Belongs to"
          name="asset"
          defaultValue={device?.asset ?? ""}
          problem={form.wrong("asset")}
          options={[{ value: "", label: "No asset" }, ...assets.map((asset) => ({ value: String(asset.id), label: asset.name }))]}
        />
        <SelectField label="Protocol" name="driver" value={driver} onChange={(event) => { setDriver(event.currentTarget.value); }} problem={form.wrong("driver")} options={DRIVERS} />
        <Field label="Profile" name="profile" required defaultValue={device?.profile ?? ""} placeholder={usual.profile} hint="The name of its map of points." problem={form.wrong("profile")} />
      </div>
      <AreaField
        key={driver}
        label="Connection"
        name="connection"
        rows={3}
        spellCheck={false}
        required
        defaultValue={connectionText(device?.driver === driver ? device.connection : usual.connection)}
        problem={broken ? NOT_JSON : form.wrong("connection")}
        hint="How the edge reaches it, as the protocol needs it."
      />
      <Field
        label="Reads every (s)"
        name="poll_interval"
        inputMode="decimal"
        defaultValue={device?.pollInterval ?? ""}
        hint="Empty: as often as its edge reads."
        problem={form.wrong("poll_interval")}
      />
      <FormEnd>
        <Button type="submit" look="primary" disabled={form.busy}>
          {device ? "Save the device" : "Add the device"}
        </Button>
      </FormEnd>
    </form>
  );
}
