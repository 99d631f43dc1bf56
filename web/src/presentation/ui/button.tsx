import type { ComponentProps } from "react";
import { cx } from "./cx";

const LOOK = {
  primary: "bg-ink text-canvas hover:opacity-90 disabled:opacity-60",
  quiet: "hairline bg-surface text-ink hover:bg-hover disabled:opacity-50",
  danger: "bg-alarm text-on-alarm hover:opacity-90 disabled:opacity-60",
  bare: "text-quiet hover:bg-hover hover:text-ink disabled:opacity-50",
} as const;

interface Props extends ComponentProps<"button"> {
  readonly look?: keyof typeof LOOK;
}

export function Button({ look = "quiet", className, type = "button", ...rest }: Props) {
  return (
    <button
      type={type}
      className={cx("inline-flex h-8 items-center justify-center gap-2 rounded-lg px-3 text-[13px] font-medium transition-colors", LOOK[look], className)}
      {...rest}
    />
  );
}

/** A square button that shows only an icon; `label` is its name for everyone who does not see it. */
export function IconButton({ label, className, type = "button", ...rest }: ComponentProps<"button"> & { readonly label: string }) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={cx("inline-flex size-8 items-center justify-center rounded-lg transition-colors", LOOK.bare, className)}
      {...rest}
    />
  );
}
