"use client";

import { useState } from "react";
import { plain } from "@/domain/roles";
import { ASSET_KINDS, treeLines, type AssetNode } from "@/domain/site-settings";
import type { Site } from "@/domain/site";
import { useAssets } from "@/presentation/hooks/use-equipment";
import { useForm } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Confirm } from "@/presentation/ui/confirm";
import { Dialog, FormEnd } from "@/presentation/ui/dialog";
import { Field, SelectField } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { List } from "@/presentation/ui/list";
import { Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";

export function AssetsSection({ site }: { site: Site }) {
  const { equipment } = useServices();
  const assets = useAssets(site.id);
  const [editing, setEditing] = useState<AssetNode | "new" | null>(null);
  const [removing, setRemoving] = useState<AssetNode | null>(null);
  const lines = assets.data ? treeLines(assets.data) : undefined;
  return (
    <Section
      title="Assets"
      lead="What the site consists of, as a tree: buildings, solar arrays, batteries, meters."
      action={<Button onClick={() => { setEditing("new"); }}>New asset…</Button>}
    >
      <List data={{ data: lines, error: assets.error, mutate: assets.mutate }} label="Assets" empty="No assets yet. Begin with the building or the grid connection.">
        {({ asset, depth }) => (
          <Row
            key={asset.id}
            data-testid="asset-row"
            lead={depth > 0 ? <span aria-hidden style={{ width: `${depth * 1.25}rem` }} className="shrink-0" /> : undefined}
            title={asset.name}
            note={plain(asset.kind)}
          >
            <Button onClick={() => { setEditing(asset); }} aria-label={`Edit ${asset.name}`}>Edit</Button>
            <Button onClick={() => { setRemoving(asset); }} aria-label={`Delete ${asset.name}`}>Delete</Button>
          </Row>
        )}
      </List>
      <Dialog open={editing !== null} onOpenChange={() => { setEditing(null); }} title={editing === "new" ? `New asset at ${site.name}` : `Edit ${editing?.name ?? ""}`}>
        <AssetForm
          site={site.id}
          asset={editing === "new" ? null : editing}
          others={assets.data ?? []}
          onDone={async () => {
            await assets.mutate();
            setEditing(null);
          }}
        />
      </Dialog>
      <Confirm
        open={removing !== null}
        onOpenChange={() => { setRemoving(null); }}
        title={`Delete ${removing?.name ?? ""}?`}
        action={`Delete ${removing?.name ?? ""}`}
        onConfirm={async () => {
          if (removing) await equipment.removeAsset(removing.id);
          await assets.mutate();
        }}
      >
        <p>What is below it in the tree goes with it. Devices and points stay, and belong to no asset then.</p>
      </Confirm>
    </Section>
  );
}

const KINDS = ASSET_KINDS.map((kind) => ({ value: kind, label: plain(kind) }));

function AssetForm({ site, asset, others, onDone }: { site: number; asset: AssetNode | null; others: readonly AssetNode[]; onDone: () => Promise<void> }) {
  const { equipment } = useServices();
  const form = useForm(["name", "kind", "parent"], async (values) => {
    const parent = values.text("parent");
    await equipment.saveAsset(site, { name: values.trimmed("name"), kind: values.text("kind"), parent: parent === "" ? null : Number(parent) }, asset?.id ?? null);
    await onDone();
  });
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      <Field label="Name" name="name" required autoFocus maxLength={200} defaultValue={asset?.name ?? ""} placeholder="Roof array" problem={form.wrong("name")} />
      <SelectField label="Kind" name="kind" defaultValue={asset?.kind ?? "building"} problem={form.wrong("kind")} options={KINDS} />
      <SelectField
        label="Below"
        name="parent"
        defaultValue={asset?.parent ?? ""}
        problem={form.wrong("parent")}
        options={[{ value: "", label: "Nothing: at the top" }, ...others.filter((other) => other.id !== asset?.id).map((other) => ({ value: String(other.id), label: other.name }))]}
      />
      <FormEnd>
        <Button type="submit" look="primary" disabled={form.busy}>
          {asset ? "Save the asset" : "Add the asset"}
        </Button>
      </FormEnd>
    </form>
  );
}
