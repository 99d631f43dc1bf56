"use client";

import { ToggleGroup } from "radix-ui";
import type { ReactNode } from "react";

interface Segment {
  readonly value: string;
  readonly label: ReactNode;
  /** The name for everyone who does not see the label. */
  readonly name?: string;
}

/** Exactly one of a few, side by side. */
export function Segments({ label, value, segments, onChoose }: {
  label: string; value: string; segments: readonly Segment[]; onChoose: (value: string) => void;
}) {
  return (
    <ToggleGroup.Root
      type="single"
      aria-label={label}
      value={value}
      onValueChange={(next) => {
        if (next) onChoose(next);
      }}
      className="hairline inline-flex h-8 items-center rounded-lg bg-sunken p-0.5"
    >
      {segments.map((segment) => (
        <ToggleGroup.Item
          key={segment.value}
          value={segment.value}
          aria-label={segment.name}
          className="inline-flex h-full min-w-9 items-center justify-center gap-1.5 rounded-md border border-transparent px-2.5 text-[13px] font-medium text-quiet transition-colors hover:text-ink data-[state=on]:border-line data-[state=on]:bg-surface data-[state=on]:text-ink"
        >
          {segment.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
