"use client";

import { AlertDialog } from "radix-ui";
import type { ReactNode } from "react";
import { wordsAbove } from "@/domain/form";
import { useSending } from "@/presentation/hooks/use-form";
import { Button } from "./button";
import { FormEnd } from "./dialog";
import { FormAlert } from "./form-alert";

/** Asks before something that cannot be taken back: its name in the title, what follows from it under that. */
export function Confirm({ open, onOpenChange, title, children, action, onConfirm }: {
  open: boolean; onOpenChange: (open: boolean) => void; title: string; children: ReactNode; action: string; onConfirm: () => Promise<unknown>;
}) {
  const { busy, problem, send, clear } = useSending();
  const close = (next: boolean) => {
    clear();
    onOpenChange(next);
  };
  const confirm = async () => {
    if (await send(onConfirm)) close(false);
  };
  return (
    <AlertDialog.Root open={open} onOpenChange={close}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <AlertDialog.Content className="appear hairline fixed left-1/2 top-1/2 z-50 max-h-[calc(100dvh-2rem)] w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 space-y-4 overflow-y-auto rounded-lg border-line-strong bg-raised p-5">
          <div>
            <AlertDialog.Title className="text-base font-semibold">{title}</AlertDialog.Title>
            <AlertDialog.Description asChild>
              <div className="mt-1.5 space-y-2 text-[13px] text-quiet">{children}</div>
            </AlertDialog.Description>
          </div>
          {problem ? <FormAlert text={wordsAbove(problem, [])} /> : null}
          <FormEnd>
            <AlertDialog.Cancel asChild>
              <Button disabled={busy}>Cancel</Button>
            </AlertDialog.Cancel>
            <Button look="danger" disabled={busy} onClick={() => void confirm()}>
              {action}
            </Button>
          </FormEnd>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
