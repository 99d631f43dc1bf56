"use client";

import { useState } from "react";
import type { DeviceSettings } from "@/domain/site-settings";
import type { Site } from "@/domain/site";
import { useAssets, useDevices, useEdges } from "@/presentation/hooks/use-equipment";
import { useServices } from "@/presentation/services";
import { Badge } from "@/presentation/ui/badge";
import { Button } from "@/presentation/ui/button";
import { Confirm } from "@/presentation/ui/confirm";
import { Dialog } from "@/presentation/ui/dialog";
import { Facts } from "@/presentation/ui/facts";
import { List } from "@/presentation/ui/list";
import { Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";
import { DeviceForm } from "./device-form";

export function DevicesSection({ site }: { site: Site }) {
  const devices = useDevices(site.id);
  const { data: edges } = useEdges(site.id);
  const { data: assets } = useAssets(site.id);
  const [adding, setAdding] = useState(false);
  const ready = edges !== undefined && assets !== undefined;
  return (
    <Section
      title="Devices"
      lead="What the edges read: where each is reached, and the profile that says which of its registers is what."
      action={ready && edges.length > 0 ? <Button onClick={() => { setAdding(true); }}>New device…</Button> : undefined}
    >
      <List data={devices} label="Devices" empty={edges?.length === 0 ? "No devices yet. Make an edge first: it is what reads them." : "No devices yet. Add the first one: its points appear once the edge has read it."}>
        {(device) => (
          <DeviceRow
            key={device.id}
            device={device}
            place={[edges?.find((edge) => edge.id === device.edge)?.name, assets?.find((asset) => asset.id === device.asset)?.name].filter(Boolean).join(", ")}
            form={(onDone) => <DeviceForm device={device} edges={edges ?? []} assets={assets ?? []} onDone={onDone} />}
            onChanged={() => devices.mutate()}
          />
        )}
      </List>
      <Dialog open={adding} onOpenChange={setAdding} title={`New device at ${site.name}`}>
        <DeviceForm
          device={null}
          edges={edges ?? []}
          assets={assets ?? []}
          onDone={async () => {
            await devices.mutate();
            setAdding(false);
          }}
        />
      </Dialog>
    </Section>
  );
}

function DeviceRow({ device, place, form, onChanged }: {
  device: DeviceSettings; place: string; form: (onDone: () => Promise<void>) => React.ReactNode; onChanged: () => Promise<unknown>;
}) {
  const { equipment } = useServices();
  const [open, setOpen] = useState<"edit" | "remove" | null>(null);
  const close = () => {
    setOpen(null);
  };
  const where = Object.entries(device.connection).map(([name, value]) => `${name} ${String(value)}`).join(", ");
  return (
    <Row
      data-testid="device-row"
      title={
        <>
          {device.name}
          <Badge>{device.driver}</Badge>
        </>
      }
      note={
        <Facts items={[<code key="key" className="text-2xs">{device.key}</code>, device.profile, place, where]} />
      }
    >
      <Button onClick={() => { setOpen("edit"); }} aria-label={`Edit ${device.name}`}>Edit</Button>
      <Button onClick={() => { setOpen("remove"); }} aria-label={`Delete ${device.name}`}>Delete</Button>
      <Dialog open={open === "edit"} onOpenChange={close} title={`Edit ${device.name}`}>
        {form(async () => {
          await onChanged();
          close();
        })}
      </Dialog>
      <Confirm
        open={open === "remove"}
        onOpenChange={close}
        title={`Delete ${device.name}?`}
        action={`Delete ${device.name}`}
        onConfirm={async () => {
          await equipment.removeDevice(device.id);
          await onChanged();
        }}
      >
        <p>Its edge stops reading it. Its points and what they measured stay in the history.</p>
      </Confirm>
    </Row>
  );
}
