import type { ReactNode } from "react";

/** Small facts about one thing on one line, as far as there are any. */
export function Facts({ items }: { items: readonly ReactNode[] }) {
  const present = items.filter((item) => item !== null && item !== undefined && item !== false && item !== "");
  return present.map((item, index) => (
    // Their order is fixed, so their place names them.
    <span key={index} className={index === 0 ? "min-w-0" : "min-w-0 before:mr-1.5 before:text-faint before:content-['·']"}>
      {item}
    </span>
  ));
}
