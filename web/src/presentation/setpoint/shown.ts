import { limitWords } from "@/domain/command";
import { exact, figure, stateWord } from "@/domain/quantity";
import type { Point } from "@/domain/site";

/** A value of a point as it is read: "12.4 kW", "Running". */
export function shown(point: Point, value: number): string {
  if (point.states !== null) return stateWord(value, point.states);
  const { number, unit } = figure(value, point.unit, point.kind);
  return unit ? `${number} ${unit}` : number;
}

/** What was asked for, to the digit. */
export function asked(point: Point | undefined, value: number | null): string {
  if (value === null) return "give back";
  if (point === undefined) return exact(value, "");
  return point.states === null ? exact(value, point.unit) : stateWord(value, point.states);
}

/** What the point may be set to, in words; null where there is no limit. */
export function limits(point: Point): string | null {
  return point.states === null ? limitWords(point, (value) => shown(point, value)) : null;
}
