import type { Kind } from "./contract.gen";

/** Units that are read with a prefix (12.4 kW, 3.21 MWh); the store keeps the base unit. */
const PREFIXED = new Set(["W", "VA", "var", "Wh", "VAh", "varh", "Wh/m²"]);
const PREFIXES = ["", "k", "M", "G"] as const;

/** Decimals of the units that keep their scale, so that a figure keeps its width. */
const DECIMALS: Readonly<Record<string, number>> = {
  V: 1, A: 1, Ah: 1, Hz: 2, "%": 1, "°C": 1, "W/m²": 0, "m³": 2, "m³/h": 2, "m/s": 1, Pa: 0, ppm: 0, s: 0, h: 1, "g/kWh": 0,
};

const MINUS = "−";

export interface Scale {
  readonly unit: string;
  /** Multiply a value in the base unit by this. */
  readonly factor: number;
  /** Decimals that tell values of this magnitude apart. */
  readonly decimals: number;
}

export interface Figure {
  readonly number: string;
  readonly unit: string;
}

/** The prefix in which a value of this magnitude reads best; one scale for a whole axis or column. */
export function scaleFor(magnitude: number, unit: string): Scale {
  if (!PREFIXED.has(unit)) return { unit, factor: 1, decimals: DECIMALS[unit] ?? 2 };
  let step = 0;
  // 999.5 W would read "1000 W": the next prefix takes over where rounding would add a digit.
  while (step < PREFIXES.length - 1 && Math.abs(magnitude) >= 999.5 * 1000 ** step) step += 1;
  const factor = 1 / 1000 ** step;
  const decimals = step === 0 ? 0 : Math.abs(magnitude) * factor >= 99.95 ? 1 : 2;
  return { unit: `${PREFIXES[step] ?? ""}${unit}`, factor, decimals };
}

/** Three significant digits, with their zeros: 3.21, 12.4, 987. */
function significant(value: number): string {
  const size = Math.abs(value);
  return fixed(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

const formats = new Map<number, Intl.NumberFormat>();

/** A number with exactly so many decimals, thousands grouped, and a true minus sign; never "−0". */
export function fixed(value: number, decimals: number): string {
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, format);
  }
  const text = format.format(value);
  return text.startsWith("-") ? (/[1-9]/.test(text) ? MINUS : "") + text.slice(1) : text;
}

/** A value for reading: scaled, rounded, its unit apart. */
export function figure(value: number, unit: string, kind: Kind = "gauge"): Figure {
  if (PREFIXED.has(unit)) {
    const scale = scaleFor(value, unit);
    const scaled = value * scale.factor;
    return { number: scale.factor === 1 ? fixed(scaled, 0) : significant(scaled), unit: scale.unit };
  }
  if (unit === "") return { number: fixed(value, kind === "gauge" ? 2 : 0), unit };
  return { number: fixed(value, DECIMALS[unit] ?? 2), unit };
}

/** A value on a scale that others share (an axis, a table column). */
export function onScale(value: number, scale: Scale): string {
  return fixed(value * scale.factor, scale.decimals);
}

/** The value as it was stored, in the base unit, for the tooltip. */
export function exact(value: number, unit: string): string {
  const number = new Intl.NumberFormat("en", { maximumFractionDigits: 6 }).format(value).replace("-", MINUS);
  return unit ? `${number} ${unit}` : number;
}

/** The word for a state's number; the bare number where the profile names none. */
export function stateWord(value: number, states: Readonly<Record<string, string>> | null): string {
  const word = states?.[String(Math.round(value))];
  return word ? word.charAt(0).toUpperCase() + word.slice(1).replaceAll("_", " ") : `State ${fixed(value, 0)}`;
}
