import type { components } from "./api.gen";

/** The API's own names for its shapes, generated from its description. */
export type Schemas = components["schemas"];

/** An answer that should have this shape: its fields have these names, and their values are not checked yet. */
export type Wire<Name extends keyof Schemas> = { readonly [Field in keyof Schemas[Name]]?: unknown };
