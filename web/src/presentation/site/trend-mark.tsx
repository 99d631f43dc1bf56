import { ArrowDownRight, ArrowUpRight } from "lucide-react";
import type { Trend } from "@/domain/trend";

/** Rising or falling over the last minute. Keeps its room when flat, so that figures do not jump. */
export function TrendMark({ trend, className = "size-3" }: { trend: Trend; className?: string }) {
  if (trend === "flat") return <span aria-hidden className={`inline-block ${className}`} />;
  const Icon = trend === "up" ? ArrowUpRight : ArrowDownRight;
  return <Icon aria-label={trend === "up" ? "rising" : "falling"} className={`inline-block self-center text-faint ${className}`} strokeWidth={2} />;
}
