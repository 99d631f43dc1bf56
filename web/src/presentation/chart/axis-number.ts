import { fixed } from "@/domain/quantity";

/** A tick's number: no more decimals than it has. */
export function axisNumber(value: number, factor: number): string {
  const scaled = Number((value * factor).toPrecision(12));
  const decimals = Math.min(3, (String(scaled).split(".")[1] ?? "").length);
  return fixed(scaled, decimals);
}
