"use client";

import { Check, CircleAlert } from "lucide-react";
import { isOver, stateOf, stepReached, STEPS, whyOf, type Command } from "@/domain/command";
import type { Point } from "@/domain/site";
import { cx } from "@/presentation/ui/cx";
import { shown } from "./shown";

const WORDS: Readonly<Record<(typeof STEPS)[number], string>> = {
  requested: "Asked for", sent: "On its way to the edge", written: "Written to the device", verified: "The device says the same",
};

/** How far a command came, live; and where it ended otherwise, why. */
export function CommandProgress({ command, point }: { command: Command; point: Point }) {
  const reached = stepReached(command.state);
  if (isOver(command.state) && reached < 0) {
    return (
      <div role="alert" data-testid="command" data-state={command.state} data-reason={command.reason ?? ""} className="flex gap-2.5 rounded-lg bg-alarm-soft p-3 text-[13px]">
        <CircleAlert aria-hidden className="mt-px size-4 shrink-0 text-alarm" />
        <div>
          <p className="font-medium text-alarm">{stateOf(command)}</p>
          <p className="mt-0.5">{whyOf(command) ?? "The edge gave no reason."}</p>
          {command.readBack === null ? null : <p className="mt-0.5 text-quiet">The device says {shown(point, command.readBack)}.</p>}
        </div>
      </div>
    );
  }
  return (
    <ol role="status" data-testid="command" data-state={command.state} className="space-y-2 rounded-lg bg-sunken p-3">
      {STEPS.map((step, index) => (
        <li key={step} className={cx("flex items-center gap-2.5 text-[13px]", index > reached && "text-faint")}>
          <span aria-hidden className={cx("flex size-4 shrink-0 items-center justify-center rounded-full", index <= reached ? "bg-ok text-canvas" : "hairline border-line-strong")}>
            {index <= reached ? <Check className="size-3" strokeWidth={3} /> : null}
          </span>
          <span className={index === reached ? "font-medium" : undefined}>{WORDS[step]}</span>
          {step === "verified" && index <= reached && command.readBack !== null ? (
            <span className="ml-auto font-medium tabular-nums">{shown(point, command.readBack)}</span>
          ) : null}
        </li>
      ))}
    </ol>
  );
}
