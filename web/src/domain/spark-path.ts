import { joins } from "./history";

/**
 * The line of a small chart without axes, as an SVG path in a box of `width` x `height`. Broken where samples are
 * missing; a line that hardly moves stays calm in the middle instead of filling the box with its noise.
 */
export function sparkPath(
  ts: readonly number[], value: readonly (number | null)[], from: number, to: number, width: number, height: number,
): string {
  const known = value.filter((each, index): each is number => each !== null && (ts[index] ?? 0) >= from);
  if (known.length < 2) return "";
  const low = Math.min(...known);
  const high = Math.max(...known);
  const span = Math.max(high - low, 0.05 * Math.max(Math.abs(high), Math.abs(low)), 1e-9);
  const middle = (low + high) / 2;
  const joined = joins(ts, "raw");
  let path = "";
  let pen = false;
  ts.forEach((at, index) => {
    const each = value[index] ?? null;
    if (at < from || each === null) {
      pen = false;
      return;
    }
    const x = (((at - from) / (to - from)) * width).toFixed(1);
    const y = (height / 2 - ((each - middle) / span) * (height - 4)).toFixed(1);
    path += `${pen ? "L" : "M"}${x} ${y}`;
    pen = joined[index] ?? false;
  });
  return path;
}
