import type { HysteresisRule, LimitRule, ScheduleRule, Window } from "./contract.gen";
import { isListOf, isNumber, isRecord, isText } from "./guards";

/** A rule that an edge follows by itself. */
export type Rule = ScheduleRule | HysteresisRule | LimitRule;

/** How points are called and their values read, for sentences. */
export interface Reading {
  readonly name: (key: string) => string;
  readonly show: (key: string, value: number) => string;
}

const COMMAND_PRIORITY = 8;

/** A rule of an answer; null where it is none that this page knows. */
export function ruleOf(value: unknown): Rule | null {
  if (!isRecord(value) || !isText(value.key) || !isText(value.name) || !isText(value.point)) return null;
  if (value.kind === "schedule") return isListOf(value.windows ?? [], isWindow) ? (value as unknown as ScheduleRule) : null;
  if (value.kind !== "hysteresis" && value.kind !== "limit") return null;
  return isText(value.input) ? (value as unknown as HysteresisRule | LimitRule) : null;
}

function isWindow(value: unknown): value is Window {
  return isRecord(value) && isText(value.start) && isText(value.end) && isNumber(value.value);
}

/** What the rule does, in a sentence for each thing. */
export function ruleWords(rule: Rule, reading: Reading): string[] {
  const { name, show } = reading;
  const output = name(rule.point);
  switch (rule.kind) {
    case "schedule":
      return (rule.windows ?? []).map((window) => `${daysWord(window.days ?? EVERY_DAY)} ${window.start}–${window.end}: ${output} is ${show(rule.point, window.value)}.`);
    case "hysteresis":
      return hysteresisWords(rule, output, reading);
    case "limit": {
      const input = rule.input ?? "";
      const bounds = [
        isNumber(rule.maximum) ? `at or below ${show(input, rule.maximum)}` : null,
        isNumber(rule.minimum) ? `at or above ${show(input, rule.minimum)}` : null,
      ].filter((bound) => bound !== null);
      return [
        `Keeps ${name(input)} ${bounds.join(" and ")}.`,
        `Moves ${output} between ${show(rule.point, rule.low ?? 0)} and ${show(rule.point, rule.high ?? 0)}.`,
      ];
    }
  }
}

function hysteresisWords(rule: HysteresisRule, output: string, { name, show }: Reading): string[] {
  const input = rule.input ?? "";
  const [on, off] = [rule.on_at ?? 0, rule.off_at ?? 0];
  const [rises, falls] = on > off ? ["above", "below"] : ["below", "above"];
  const otherwise = isNumber(rule.off_value) ? `is ${show(rule.point, rule.off_value)}` : "is let go";
  return [
    `When ${name(input)} is ${rises} ${show(input, on)}, ${output} is ${show(rule.point, rule.on_value ?? 1)}.`,
    `When it is ${falls} ${show(input, off)}, ${output} ${otherwise}.`,
  ];
}

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

/** "Every day", "Mon–Fri", "Sat, Sun". */
export function daysWord(days: readonly number[]): string {
  const own = [...new Set(days)].filter((day) => day in DAYS).sort();
  if (own.length === 7) return "Every day";
  const [first, last] = [own[0], own.at(-1)];
  if (first !== undefined && last !== undefined && own.length > 2 && last - first === own.length - 1) return `${DAYS[first] ?? ""}–${DAYS[last] ?? ""}`;
  return own.map((day) => DAYS[day]).join(", ");
}

/** Who wins where a rule and a person want different things. */
export function priorityWord(priority: number): string {
  if (priority < COMMAND_PRIORITY) return "wins over people";
  return priority === COMMAND_PRIORITY ? "the newest of it and people wins" : "people win over it";
}
