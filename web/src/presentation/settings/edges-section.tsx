"use client";

import { Cpu } from "lucide-react";
import { useState } from "react";
import type { Edge } from "@/domain/site-settings";
import type { Site } from "@/domain/site";
import { useEdges } from "@/presentation/hooks/use-equipment";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Confirm } from "@/presentation/ui/confirm";
import { Dialog } from "@/presentation/ui/dialog";
import { Facts } from "@/presentation/ui/facts";
import { List } from "@/presentation/ui/list";
import { Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";
import { Ago } from "@/presentation/ui/when";
import { EdgeForm } from "./edge-form";
import { EdgeHealth } from "./edge-health";
import { EdgeKeys } from "./edge-keys";
import { LocalForm } from "./local-form";

export function EdgesSection({ site }: { site: Site }) {
  const edges = useEdges(site.id);
  const [adding, setAdding] = useState(false);
  return (
    <Section
      title="Edges"
      lead="The controllers on the site that read its devices. Each starts with an API key of its own."
      action={<Button onClick={() => { setAdding(true); }}>New edge…</Button>}
    >
      <List data={edges} label="Edges" skeletons={2} empty="This site has no edge yet. Make one, then a key for it: its values appear as soon as it starts.">
        {(edge) => <EdgeRow key={edge.id} edge={edge} onChanged={() => edges.mutate()} />}
      </List>
      <Dialog open={adding} onOpenChange={setAdding} title={`New edge at ${site.name}`}>
        <EdgeForm
          site={site.id}
          edge={null}
          onDone={async () => {
            await edges.mutate();
            setAdding(false);
          }}
        />
      </Dialog>
    </Section>
  );
}

function EdgeRow({ edge, onChanged }: { edge: Edge; onChanged: () => Promise<unknown> }) {
  const { equipment } = useServices();
  const [open, setOpen] = useState<"edit" | "local" | "remove" | null>(null);
  const close = () => {
    setOpen(null);
  };
  return (
    <Row
      data-testid="edge"
      lead={<Cpu aria-hidden className="size-5 shrink-0 text-faint" strokeWidth={1.5} />}
      title={edge.name}
      note={
        <Facts
          items={[
            edge.wire,
            `reads every ${edge.pollInterval} s`,
            edge.lastSession === null ? "has never connected" : <>connected <Ago ts={edge.lastSession} /></>,
            edge.software,
          ]}
        />
      }
      below={
        <>
          <EdgeHealth edge={edge.id} />
          <EdgeKeys edge={edge} />
        </>
      }
    >
      <Button onClick={() => { setOpen("edit"); }} aria-label={`Edit ${edge.name}`}>Edit</Button>
      <Button onClick={() => { setOpen("local"); }} aria-label={`Rules of ${edge.name}`}>Rules…</Button>
      <Button onClick={() => { setOpen("remove"); }} aria-label={`Delete ${edge.name}`}>Delete</Button>
      <Dialog open={open === "local"} onOpenChange={close} title={`What ${edge.name} does by itself`} lead="With or without a network. Each part is a list in JSON; what is wrong in it is told when it is saved.">
        <LocalForm
          edge={edge}
          onDone={async () => {
            await onChanged();
            close();
          }}
        />
      </Dialog>
      <Dialog open={open === "edit"} onOpenChange={close} title={`Edit ${edge.name}`}>
        <EdgeForm
          site={null}
          edge={edge}
          onDone={async () => {
            await onChanged();
            close();
          }}
        />
      </Dialog>
      <Confirm
        open={open === "remove"}
        onOpenChange={close}
        title={`Delete ${edge.name}?`}
        action={`Delete ${edge.name}`}
        onConfirm={async () => {
          await equipment.removeEdge(edge.id);
          await onChanged();
        }}
      >
        <p>Its devices go with it; its points and what it measured stay in the history. Revoke its keys first: an edge that can still connect is not deleted.</p>
      </Confirm>
    </Row>
  );
}
