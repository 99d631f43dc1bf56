"use client";

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { IconButton } from "./button";

/** Something that is done beside the page and then over. It scrolls within itself and never leaves the screen. */
export function Dialog({ open, onOpenChange, title, lead, children }: {
  open: boolean; onOpenChange: (open: boolean) => void; title: string; lead?: ReactNode; children: ReactNode;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Radix.Content
          // Without a lead there is no description to point to.
          {...(lead === undefined ? { "aria-describedby": undefined } : {})}
          className="appear hairline fixed left-1/2 top-1/2 z-50 flex max-h-[calc(100dvh-2rem)] w-[min(32rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 flex-col rounded-lg border-line-strong bg-raised"
        >
          <header className="flex items-start gap-3 px-5 pb-1 pt-4">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
              {lead === undefined ? null : <Radix.Description className="mt-1 text-[13px] text-quiet">{lead}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close" className="-mr-2 -mt-1">
                <X aria-hidden className="size-4" />
              </IconButton>
            </Radix.Close>
          </header>
          <div className="min-h-0 overflow-y-auto px-5 pb-5 pt-3">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The buttons at the end of a form: what is done is on the right, and on a phone on top. */
export function FormEnd({ children }: { children: ReactNode }) {
  return <div className="flex flex-col-reverse gap-2 pt-1 sm:flex-row sm:justify-end [&>button]:h-9">{children}</div>;
}
