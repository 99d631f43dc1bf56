import type { ReactNode } from "react";

/** Several choices under one label. */
export function FieldGroup({ label, problem, children }: { label: string; problem?: string | undefined; children: ReactNode }) {
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1.5 text-[13px] font-medium">{label}</legend>
      <div className="hairline space-y-2.5 rounded-lg p-3">{children}</div>
      {problem === undefined ? null : <p className="mt-1.5 text-xs text-alarm">{problem}</p>}
    </fieldset>
  );
}
