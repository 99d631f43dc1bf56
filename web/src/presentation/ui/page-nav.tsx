import type { LucideIcon } from "lucide-react";
import Link from "next/link";
import { cx } from "./cx";

interface Entry {
  readonly href: string;
  readonly label: string;
  readonly icon?: LucideIcon;
  readonly current: boolean;
}

/** The pages of one thing, side by side; on a phone they scroll sideways within themselves. */
export function PageNav({ label, entries, className }: { label: string; entries: readonly Entry[]; className?: string }) {
  return (
    <nav aria-label={label} className={cx("hairline inline-flex h-8 max-w-full items-center overflow-x-auto rounded-lg bg-sunken p-0.5", className)}>
      {entries.map(({ href, label: name, icon: Icon, current }) => (
        <Link
          key={href}
          href={href}
          aria-current={current ? "page" : undefined}
          className={cx(
            "inline-flex h-full items-center gap-1.5 whitespace-nowrap rounded-md border px-2.5 text-[13px] font-medium transition-colors",
            current ? "border-line bg-surface text-ink" : "border-transparent text-quiet hover:text-ink",
          )}
        >
          {Icon ? <Icon aria-hidden className="size-3.5" /> : null}
          {name}
        </Link>
      ))}
    </nav>
  );
}
