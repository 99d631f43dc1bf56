"use client";

import { KeyRound } from "lucide-react";
import { useState } from "react";
import { bootstrapOf } from "@/domain/bootstrap";
import { wordsAbove } from "@/domain/form";
import { Problem } from "@/domain/problem";
import { MOST_KEYS, type Edge, type EdgeKey, type NewEdgeKey } from "@/domain/site-settings";
import { useEdgeKeys } from "@/presentation/hooks/use-equipment";
import { useSending } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Confirm } from "@/presentation/ui/confirm";
import { Dialog, FormEnd } from "@/presentation/ui/dialog";
import { OnlyOnce, Secret } from "@/presentation/ui/secret";
import { Skeleton } from "@/presentation/ui/skeleton";
import { Ago, Day } from "@/presentation/ui/when";

/** The live keys of an edge. Two may live at once, so that one is exchanged for the other without a gap. */
export function EdgeKeys({ edge }: { edge: Edge }) {
  const { equipment } = useServices();
  const { data, error, mutate } = useEdgeKeys(edge.id);
  const { busy, problem, send } = useSending();
  const [made, setMade] = useState<NewEdgeKey | null>(null);
  const live = data?.filter((key) => key.revoked === null) ?? [];
  const create = () =>
    send(async () => {
      setMade(await equipment.createKey(edge.id));
      await mutate();
    });
  return (
    <div className="hairline w-full divide-y overflow-hidden rounded-lg bg-sunken text-[13px]">
      {!data && error === undefined ? <Skeleton className="m-3 h-4 w-40" /> : null}
      {error instanceof Problem ? <p role="alert" className="px-3 py-2 text-alarm">{wordsAbove(error, [])}</p> : null}
      {live.map((key) => (
        <KeyLine key={key.id} edgeKey={key} edge={edge} onRevoked={() => mutate()} />
      ))}
      {data ? (
        <div className="flex flex-wrap items-center gap-3 px-3 py-2">
          <p className="min-w-0 flex-1 basis-48 text-xs text-quiet">
            {live.length === 0
              ? "No key works: the edge cannot connect. Make one and put it into its bootstrap file."
              : live.length < MOST_KEYS
                ? "A second key can live beside this one while you exchange them."
                : "Two keys live. Revoke the old one once the edge runs with the new one."}
          </p>
          {live.length < MOST_KEYS ? (
            <Button disabled={busy} onClick={() => void create()} aria-label={`New key for ${edge.name}`}>
              New key
            </Button>
          ) : null}
          {problem ? <p role="alert" className="w-full text-xs text-alarm">{wordsAbove(problem, [])}</p> : null}
        </div>
      ) : null}
      <ShownKey
        edge={edge}
        made={made}
        onClose={() => {
          setMade(null);
        }}
      />
    </div>
  );
}

function KeyLine({ edgeKey, edge, onRevoked }: { edgeKey: EdgeKey; edge: Edge; onRevoked: () => Promise<unknown> }) {
  const { equipment } = useServices();
  const [asking, setAsking] = useState(false);
  return (
    <div data-testid="edge-key" className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2">
      <KeyRound aria-hidden className="size-4 shrink-0 text-faint" strokeWidth={1.5} />
      <code className="text-xs">ems_{edgeKey.prefix}_…</code>
      <span className="min-w-0 flex-1 basis-40 text-xs text-quiet">
        made <Day ts={edgeKey.created} />, {edgeKey.lastUsed === null ? "never used" : <>last used <Ago ts={edgeKey.lastUsed} /></>}
      </span>
      <Button onClick={() => { setAsking(true); }} aria-label={`Revoke the key ${edgeKey.prefix} of ${edge.name}`}>
        Revoke
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Revoke the key ems_${edgeKey.prefix}?`}
        action="Revoke the key"
        onConfirm={async () => {
          await equipment.revokeKey(edgeKey.id);
          await onRevoked();
        }}
      >
        <p>An edge that runs with it is cut off at once. It goes on measuring, and delivers what it kept when it has another key.</p>
      </Confirm>
    </div>
  );
}

function ShownKey({ edge, made, onClose }: { edge: Edge; made: NewEdgeKey | null; onClose: () => void }) {
  return (
    <Dialog
      open={made !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={`The key of ${edge.name}`}
    >
      {made ? (
        <div className="space-y-4">
          <OnlyOnce what="The key is made." />
          <Secret label="Key" value={made.key} testId="new-edge-key" />
          <Secret label="Bootstrap file of the edge" value={bootstrapOf(window.location.origin, made.key)} file={`${edge.wire}.yaml`} testId="bootstrap" />
          <p className="text-xs text-faint">Put the file onto the controller, readable by nobody else, and start it with: ems-edge run {edge.wire}.yaml</p>
          <FormEnd>
            <Button look="primary" onClick={onClose}>
              I have copied it
            </Button>
          </FormEnd>
        </div>
      ) : null}
    </Dialog>
  );
}
