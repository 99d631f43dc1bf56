"use client";

import { agoWord } from "@/domain/age";
import { dateTime, dateTimeSeconds, dateWord } from "@/domain/when";
import { useNow } from "@/presentation/hooks/use-now";

const RECENT_MS = 48 * 3_600_000;

/** How long ago, while that is easy to picture; then the day. The exact time is in the tooltip. */
export function Ago({ ts }: { ts: number }) {
  const now = useNow();
  const age = Math.max(0, now - ts);
  return (
    <time dateTime={new Date(ts).toISOString()} title={dateTimeSeconds(ts)} className="whitespace-nowrap">
      {now === 0 || age > RECENT_MS ? dateWord(ts) : agoWord(age)}
    </time>
  );
}

/** A day; the exact time is in the tooltip. */
export function Day({ ts }: { ts: number }) {
  return (
    <time dateTime={new Date(ts).toISOString()} title={dateTime(ts)} className="whitespace-nowrap">
      {dateWord(ts)}
    </time>
  );
}
