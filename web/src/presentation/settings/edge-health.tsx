"use client";

import { CircleAlert, CircleCheck } from "lucide-react";
import type { DeviceHealth, EdgeStatus } from "@/domain/control";
import { reasonSentence } from "@/domain/quality";
import { useEdgeStatus } from "@/presentation/hooks/use-control";
import { Facts } from "@/presentation/ui/facts";
import { Ago } from "@/presentation/ui/when";

/** How an edge says that it is doing: what waits on its disk, and each of its devices. Nothing before it first spoke. */
export function EdgeHealth({ edge }: { edge: number }) {
  const { data: status } = useEdgeStatus(edge);
  if (status?.seen == null) return null;
  const troubled = status.devices.filter((device) => device.good < device.points);
  return (
    <div data-testid="edge-health" className="w-full space-y-1.5 rounded-lg bg-sunken px-3 py-2.5 text-xs">
      <p className="flex flex-wrap gap-x-1.5 text-quiet">
        <Facts
          items={[
            status.stale ? <>last heard <Ago ts={status.seen} /></> : "running",
            backlogWords(status),
            status.dropped > 0 ? `${status.dropped} batches lost to a full disk` : null,
            clockWords(status.offset),
            `${status.devices.length - troubled.length} of ${status.devices.length} devices well`,
          ]}
        />
      </p>
      {status.problems.map((problem) => (
        <p key={problem} className="flex gap-1.5 text-warn">
          <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
          {problem}
        </p>
      ))}
      {troubled.map((device) => (
        <Trouble key={device.key} device={device} />
      ))}
      {troubled.length === 0 && status.problems.length === 0 && !status.stale ? (
        <p className="flex gap-1.5 text-ok">
          <CircleCheck aria-hidden className="mt-px size-3.5 shrink-0" />
          Every point of every device is read.
        </p>
      ) : null}
    </div>
  );
}

function Trouble({ device }: { device: DeviceHealth }) {
  const what = device.good === 0 ? "no point is read" : `${device.good} of ${device.points} points are read`;
  return (
    <p className="flex gap-1.5">
      <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0 text-warn" />
      <span>
        <code className="text-2xs">{device.key}</code>: {what}
        {device.reason === null ? null : <>. {reasonSentence(device.reason)}</>}
        {device.since === null ? null : <>, since <Ago ts={device.since} /></>}.
      </span>
    </p>
  );
}

function backlogWords({ backlog, backlogSize }: EdgeStatus): string {
  if (backlog === 0) return "nothing waits";
  return `${backlog} ${backlog === 1 ? "batch waits" : "batches wait"} (${sizeWord(backlogSize)})`;
}

function sizeWord(bytes: number): string {
  return bytes < 1_048_576 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** Only a clock that is noticeably wrong is worth a word. */
function clockWords(offset: number | null): string | null {
  if (offset === null || Math.abs(offset) < 1_000) return null;
  return `its clock is ${(Math.abs(offset) / 1000).toFixed(0)} s ${offset > 0 ? "ahead" : "behind"}`;
}
