import type { ReactNode } from "react";
import { Card } from "./card";
import { cx } from "./cx";

/** One part of a page of settings: what it is about on the left, the part itself on the right. */
export function Section({ id, title, lead, action, children, className }: {
  id?: string; title: string; lead?: ReactNode; action?: ReactNode; children: ReactNode; className?: string;
}) {
  const headline = `${id ?? title.toLowerCase().replaceAll(" ", "-")}-title`;
  return (
    <section id={id} aria-labelledby={headline} className="grid gap-x-10 gap-y-3 border-t pt-6 first:border-t-0 first:pt-0 lg:grid-cols-[15rem_minmax(0,1fr)] lg:items-start">
      <div className="flex flex-wrap items-start justify-between gap-3 lg:flex-col lg:justify-start">
        <div className="min-w-0">
          <h2 id={headline} className="text-sm font-semibold">{title}</h2>
          {lead === undefined ? null : <div className="mt-1 text-[13px] text-quiet">{lead}</div>}
        </div>
        {action}
      </div>
      <Card className={cx("overflow-hidden", className)}>{children}</Card>
    </section>
  );
}

/** Lines of a list inside a card. */
export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return <ul aria-label={label} className="divide-y">{children}</ul>;
}

/** What stands in a card that has nothing to list: the next step. */
export function EmptyRow({ children }: { children: ReactNode }) {
  return <p className="px-4 py-6 text-center text-[13px] text-quiet">{children}</p>;
}
