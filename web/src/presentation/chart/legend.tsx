"use client";

import type { ReactNode } from "react";
import { cx } from "@/presentation/ui/cx";
import type { LineLook } from "./line-look";

/** What the lines are; each entry shows or hides its line. */
export function Legend({ looks, hidden, onToggle, figure }: {
  looks: readonly LineLook[]; hidden: ReadonlySet<string>; onToggle: (key: string) => void; figure?: (key: string) => ReactNode;
}) {
  return (
    <ul aria-label="Lines of the chart" className="flex flex-wrap gap-1 px-3">
      {looks.map((look) => {
        const shown = !hidden.has(look.key);
        return (
          <li key={look.key}>
            <button
              type="button"
              aria-pressed={shown}
              title={shown ? `Hide ${look.label}` : `Show ${look.label}`}
              onClick={() => {
                onToggle(look.key);
              }}
              className={cx("flex h-7 items-center gap-2 rounded-md px-1.5 text-xs transition-colors hover:bg-hover", shown ? "text-ink" : "text-faint line-through")}
            >
              <svg aria-hidden viewBox="0 0 14 4" className={cx("h-1 w-3.5", !shown && "opacity-30")}>
                <line x1="0" y1="2" x2="14" y2="2" stroke={look.color} strokeWidth="3" strokeDasharray={look.dash} />
              </svg>
              {look.label}
              {figure ? <span className="font-medium tabular-nums">{figure(look.key)}</span> : null}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
