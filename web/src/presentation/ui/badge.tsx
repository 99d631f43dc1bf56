import type { ReactNode } from "react";
import { cx } from "./cx";

const TONE = {
  plain: "border-line-strong text-quiet",
  accent: "border-transparent bg-accent-soft text-accent",
  ok: "border-transparent bg-ok-soft text-ok",
  warn: "border-transparent bg-warn-soft text-warn",
  alarm: "border-transparent bg-alarm-soft text-alarm",
} as const;

export type Tone = keyof typeof TONE;

/** A word about the thing that it stands beside. */
export function Badge({ tone = "plain", children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span title={title} className={cx("hairline inline-flex h-5 shrink-0 items-center whitespace-nowrap rounded-full px-2 text-2xs font-medium", TONE[tone])}>
      {children}
    </span>
  );
}
