"use client";

import { Check, ChevronDown, Search } from "lucide-react";
import { Popover } from "radix-ui";
import { useState } from "react";
import { devicesOf } from "@/domain/device-tiles";
import type { Point } from "@/domain/site";
import { Button } from "@/presentation/ui/button";
import { cx } from "@/presentation/ui/cx";
import { MOST_POINTS } from "./most-points";

/** Which points the charts show, up to eight, found by name under their devices. */
export function PointPicker({ points, chosen, onChoose }: {
  points: readonly Point[]; chosen: readonly Point[]; onChoose: (keys: readonly string[]) => void;
}) {
  const [text, setText] = useState("");
  const keys = new Set(chosen.map((point) => point.key));
  const full = keys.size >= MOST_POINTS;
  const groups = devicesOf(points).map((device) => ({
    key: device.key,
    name: device.name,
    points: points.filter((point) => (point.device?.key ?? point.key.split(".", 1)[0]) === device.key && matches(point, text)),
  })).filter((group) => group.points.length > 0);

  const toggle = (key: string) => {
    const next = new Set(keys);
    if (!next.delete(key)) next.add(key);
    onChoose([...next]);
  };

  return (
    <Popover.Root onOpenChange={() => { setText(""); }}>
      <Popover.Trigger asChild>
        <Button data-testid="point-picker">
          Points
          <span className="text-quiet tabular-nums">{keys.size}</span>
          <ChevronDown aria-hidden className="size-3.5 text-faint" />
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="start" sideOffset={6} collisionPadding={8} aria-label="Choose points" className="appear hairline z-50 flex max-h-[min(26rem,var(--radix-popover-content-available-height))] w-[min(22rem,calc(100vw-2rem))] flex-col rounded-lg border-line-strong bg-raised">
          <label className="flex h-10 shrink-0 items-center gap-2 border-b px-3">
            <Search aria-hidden className="size-4 text-faint" />
            <input value={text} onChange={(event) => { setText(event.target.value); }} placeholder="Find a point" aria-label="Find a point" className="w-full bg-transparent text-base outline-none placeholder:text-faint sm:text-[13px]" />
          </label>
          <div className="overflow-y-auto p-1">
            {groups.map((group) => (
              <div key={group.key} role="group" aria-label={group.name}>
                <p className="px-2 pb-1 pt-2 text-xs text-faint">{group.name}</p>
                {group.points.map((point) => (
                  <Choice key={point.key} point={point} on={keys.has(point.key)} disabled={full && !keys.has(point.key)} onToggle={toggle} />
                ))}
              </div>
            ))}
            {groups.length === 0 ? <p className="px-2 py-6 text-center text-[13px] text-quiet">No point has this name.</p> : null}
          </div>
          {full ? <p className="border-t px-3 py-2 text-xs text-faint">{MOST_POINTS} points are the most that can be told apart. Take one out to add another.</p> : null}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Choice({ point, on, disabled, onToggle }: { point: Point; on: boolean; disabled: boolean; onToggle: (key: string) => void }) {
  return (
    <button
      type="button"
      role="checkbox"
      aria-checked={on}
      disabled={disabled}
      onClick={() => { onToggle(point.key); }}
      className="flex min-h-8 w-full items-center gap-2.5 rounded-md px-2 text-left text-[13px] hover:bg-hover disabled:opacity-40"
    >
      <span className={cx("hairline flex size-4 shrink-0 items-center justify-center rounded", on ? "border-accent bg-accent text-on-accent" : "border-line-strong")}>
        {on ? <Check aria-hidden className="size-3" strokeWidth={3} /> : null}
      </span>
      <span className="min-w-0 flex-1 truncate">{point.name}</span>
      <span className="text-xs text-faint">{point.unit}</span>
    </button>
  );
}

function matches(point: Point, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return `${point.name} ${point.key} ${point.device?.name ?? ""}`.toLowerCase().includes(wanted);
}
