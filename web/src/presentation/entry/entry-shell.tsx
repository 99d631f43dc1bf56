import type { ReactNode } from "react";
import { Brand } from "@/presentation/ui/brand";
import { EntryArt } from "./entry-art";

/** The frame around what is done before signing in: the form, and beside it what the product is about. */
export function EntryShell({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(0,1fr)_minmax(0,1.1fr)]">
      <main className="flex flex-col px-6 py-6 sm:px-10">
        <Brand />
        <div className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center py-10">
          <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
          <p className="mb-8 mt-2 text-quiet">{lead}</p>
          {children}
        </div>
        <p className="text-xs text-faint">Open source, Apache-2.0. No tracking, no outside services.</p>
      </main>
      <aside aria-hidden className="relative hidden overflow-hidden border-l bg-surface lg:block">
        <EntryArt />
      </aside>
    </div>
  );
}
