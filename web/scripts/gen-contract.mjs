// Writes src/domain/contract.gen.ts from the contract's JSON Schema. Run: npm run gen:contract
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const source = new URL("../../contract/schema/contract.schema.json", import.meta.url);
const target = new URL("../src/domain/contract.gen.ts", import.meta.url);

/** The compiler notes in every comment where a type came from; only the contract's own words are worth keeping. */
const ORIGIN = /\n \*\n \* This interface was referenced by `Contract`'s JSON-Schema\n \* via the `definition` "\w+"\./g;
const ONLY_ORIGIN = /\/\*\*\n \* This interface was referenced by `Contract`'s JSON-Schema\n \* via the `definition` "\w+"\.\n \*\/\n/g;

const schema = JSON.parse(await readFile(source, "utf8"));
const types = await compile(schema, "Contract", {
  additionalProperties: false,
  bannerComment: "// Generated from contract/schema/contract.schema.json by `npm run gen:contract`; do not edit.",
  enableConstEnums: false,
  style: { printWidth: 120 },
  unreachableDefinitions: true,
});
await writeFile(target, types.replaceAll(ONLY_ORIGIN, "").replaceAll(ORIGIN, ""));
