"use client";

import { ageWord } from "@/domain/age";
import { dateTimeSeconds } from "@/domain/when";
import { useNow } from "@/presentation/hooks/use-now";

/** How long something goes on. */
export function Until({ ts }: { ts: number }) {
  const now = useNow();
  const left = ts - now;
  return (
    <time dateTime={new Date(ts).toISOString()} title={dateTimeSeconds(ts)} className="whitespace-nowrap">
      {now === 0 || left <= 0 ? "its time is over" : `for ${ageWord(left) === "now" ? "a moment" : ageWord(left)} more`}
    </time>
  );
}
