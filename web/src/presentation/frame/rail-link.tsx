import Link from "next/link";
import type { ReactNode } from "react";
import { cx } from "@/presentation/ui/cx";

export function RailLink({ href, current, icon, children, end, nested = false }: {
  href: string; current: boolean; icon?: ReactNode; children: ReactNode; end?: ReactNode; nested?: boolean;
}) {
  return (
    <Link
      href={href}
      aria-current={current ? "page" : undefined}
      className={cx(
        "flex h-8 items-center gap-2.5 rounded-lg pr-2 text-[13px] transition-colors",
        nested ? "pl-[34px]" : "pl-2",
        current ? "bg-hover font-medium text-ink" : "text-quiet hover:bg-hover hover:text-ink",
      )}
    >
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {end}
    </Link>
  );
}
