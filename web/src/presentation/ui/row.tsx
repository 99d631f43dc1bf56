import type { ReactNode } from "react";
import { cx } from "./cx";

/** One line of a list: what it is, words about it, and what can be done with it; on a phone that goes below. `below`: what else belongs to it. */
export function Row({ lead, title, note, children, below, className, ...rest }: {
  lead?: ReactNode; title: ReactNode; note?: ReactNode; children?: ReactNode; below?: ReactNode; className?: string; "data-testid"?: string;
}) {
  return (
    <li className={cx("flex min-h-[3.75rem] flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5", className)} {...rest}>
      {lead}
      <div className="min-w-0 flex-1 basis-48">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-[13px] font-medium">{title}</div>
        {note === undefined ? null : <div className="mt-0.5 flex flex-wrap gap-x-1.5 text-xs text-quiet">{note}</div>}
      </div>
      {children === undefined ? null : <div className="flex flex-wrap items-center gap-2">{children}</div>}
      {below}
    </li>
  );
}

/** The round picture of a person, of their initials. */
export function Avatar({ letters }: { letters: string }) {
  return (
    <span aria-hidden className="hairline flex size-8 shrink-0 items-center justify-center rounded-full bg-sunken text-2xs font-semibold text-quiet">
      {letters}
    </span>
  );
}
