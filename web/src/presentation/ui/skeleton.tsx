import { cx } from "./cx";

/** A place where content will be; give it the content's size. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx("breathe rounded-md bg-sunken", className)} />;
}
