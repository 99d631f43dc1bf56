import type { ReactNode } from "react";

/** What the page is about, and what can be done on it as a whole. */
export function PageHead({ title, lead, children }: { title: ReactNode; lead?: ReactNode; children?: ReactNode }) {
  return (
    <div className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-3">
      <div className="min-w-0">
        <h1 className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-xl font-semibold tracking-tight">{title}</h1>
        {lead === undefined ? null : <p className="text-quiet">{lead}</p>}
      </div>
      {children === undefined ? null : <div className="flex flex-wrap items-center gap-2 sm:ml-auto">{children}</div>}
    </div>
  );
}
