/** Small type guards for what arrives from outside. Unknown fields are ignored, as the contract asks. */

export type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

export function isWhole(value: unknown): value is number {
  return Number.isInteger(value);
}

export function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

export function isListOf<T>(value: unknown, guard: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(guard);
}

export function isMapOf<T>(value: unknown, guard: (item: unknown) => item is T): value is Record<string, T> {
  return isRecord(value) && Object.values(value).every(guard);
}
