"use client";

import { Check, type LucideIcon } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { Badge } from "./badge";

const ITEM =
  "flex min-h-8 w-full select-none items-center gap-2.5 rounded-md px-2 text-[13px] outline-none data-[highlighted]:bg-hover";

export function Menu({ trigger, children, align = "end" }: { trigger: ReactNode; children: ReactNode; align?: "start" | "end" }) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className="appear hairline z-50 min-w-52 rounded-lg border-line-strong bg-raised p-1"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function MenuItem({ icon: Icon, children, onSelect }: { icon?: LucideIcon; children: ReactNode; onSelect: () => void }) {
  return (
    <DropdownMenu.Item className={ITEM} onSelect={onSelect}>
      {Icon ? <Icon aria-hidden className="size-4 text-quiet" strokeWidth={1.75} /> : null}
      {children}
    </DropdownMenu.Item>
  );
}

interface Choice {
  readonly value: string;
  readonly label: string;
  readonly note?: string;
  readonly icon?: LucideIcon;
}

/** One of several; the chosen one carries a check mark. */
export function MenuChoice({ value, choices, onChoose }: { value: string; choices: readonly Choice[]; onChoose: (value: string) => void }) {
  return (
    <DropdownMenu.RadioGroup value={value} onValueChange={onChoose}>
      {choices.map(({ value: each, label, note, icon: Icon }) => (
        <DropdownMenu.RadioItem key={each} value={each} className={ITEM}>
          {Icon ? <Icon aria-hidden className="size-4 text-quiet" strokeWidth={1.75} /> : null}
          <span className="min-w-0 flex-1">{label}</span>
          {note === undefined ? null : <Badge tone="warn">{note}</Badge>}
          <DropdownMenu.ItemIndicator>
            <Check aria-hidden className="size-4 text-accent" />
          </DropdownMenu.ItemIndicator>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

export function MenuHead({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2 py-1.5 text-xs text-faint">{children}</DropdownMenu.Label>;
}

export function MenuLine() {
  return <DropdownMenu.Separator className="mx-1 my-1 h-px bg-line" />;
}
