import type { ReactNode } from "react";
import { cx } from "./cx";

/** Several choices under one label; `wide`: side by side where there is room. */
export function FieldGroup({ label, problem, wide = false, children }: { label: string; problem?: string | undefined; wide?: boolean; children: ReactNode }) {
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1.5 text-[13px] font-medium">{label}</legend>
      <div className={cx("hairline grid gap-2.5 rounded-lg p-3", wide && "sm:grid-cols-2")}>{children}</div>
      {problem === undefined ? null : <p className="mt-1.5 text-xs text-alarm">{problem}</p>}
    </fieldset>
  );
}
