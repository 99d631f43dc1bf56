import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

export function Card({ className, ...rest }: ComponentProps<"section">) {
  return <section className={cx("hairline min-w-0 rounded-lg bg-surface", className)} {...rest} />;
}

/** The one line at the top of a card: what it shows, and at its end what belongs to it. */
export function CardHead({ title, note, children }: { title: string; note?: string; children?: ReactNode }) {
  return (
    <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-2">
      <h2 className="text-[13px] font-semibold">{title}</h2>
      {note === undefined ? null : <span className="text-xs text-faint">{note}</span>}
      <div className="ml-auto flex items-center gap-2">{children}</div>
    </header>
  );
}
