"use client";

import { Tooltip } from "radix-ui";
import type { ReactNode } from "react";

export function TipProvider({ children }: { children: ReactNode }) {
  return <Tooltip.Provider delayDuration={250} skipDelayDuration={400}>{children}</Tooltip.Provider>;
}

/** More about one thing, on hover and on focus. The child must be able to take the focus. */
export function Tip({ content, children }: { content: ReactNode; children: ReactNode }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content
          sideOffset={6}
          collisionPadding={8}
          className="appear hairline z-50 max-w-72 rounded-lg border-line-strong bg-raised px-3 py-2 text-xs leading-4 text-ink"
        >
          {content}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
