import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { encodeClientFrame, isAlertEvent, isBatch, isCommandEvent, parseServerFrame } from "@/domain/frames";
import { isRecord, isText } from "@/domain/guards";
import type { ClientFrame } from "@/domain/messages";

const contract = new URL("../../contract/", import.meta.url);
const schema = JSON.parse(readFileSync(new URL("schema/contract.schema.json", contract), "utf8")) as object;
const ajv = new Ajv2020({ strict: false, discriminator: false });
ajv.addSchema(schema, "contract");

interface Golden {
  readonly file: string;
  readonly message: string;
  readonly value: unknown;
}

function golden(): Golden[] {
  const folder = new URL("fixtures/", contract);
  return readdirSync(folder).filter((file) => file.endsWith(".json")).map((file) => {
    const content = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as unknown;
    if (!isRecord(content) || !isText(content.message)) throw new Error(`${file}: a golden message needs "message" and "value"`);
    return { file, message: content.message, value: content.value };
  });
}

function conforms(message: string, value: unknown): void {
  const valid = ajv.validate({ $ref: `contract#/properties/${message}` }, value);
  expect(valid, ajv.errorsText()).toBe(true);
}

const messages = golden();
const of = (message: string) => messages.filter((each) => each.message === message);

describe("the golden messages of the contract", () => {
  it("are there", () => {
    expect(messages.length).toBeGreaterThan(0);
    expect(of("server_frame").length).toBeGreaterThan(0);
  });

  it.each(messages)("$file is what the schema says", ({ message, value }) => {
    conforms(message, value);
  });

  it.each(of("server_frame"))("$file is understood by the live link", ({ value }) => {
    const frame = parseServerFrame(JSON.stringify(value));
    expect(frame).not.toBeNull();
    expect(frame).toMatchObject(value as object);
  });

  it.each(of("batch"))("$file is a batch", ({ value }) => {
    expect(isBatch(value)).toBe(true);
  });

  it.each(of("alert_event"))("$file is an alert event", ({ value }) => {
    expect(isAlertEvent(value)).toBe(true);
  });

  it.each(of("command_event"))("$file is a command event", ({ value }) => {
    expect(isCommandEvent(value)).toBe(true);
  });

  it.each(of("client_frame"))("$file is what this client would send", ({ value }) => {
    expect(JSON.parse(encodeClientFrame(value as ClientFrame))).toEqual(value);
  });

  it.each<ClientFrame>([{ type: "auth", token: "t" }, { type: "subscribe", sites: ["site_7"] }, { type: "subscribe", sites: ["site_7"], interval: 1_000 }, { type: "unsubscribe", sites: [] }])(
    "an own $type frame is what the schema says",
    (frame) => {
      conforms("client_frame", JSON.parse(encodeClientFrame(frame)));
    },
  );
});

describe("a frame that is not one", () => {
  it.each([
    ["no JSON", "{"],
    ["no object", "[1]"],
    ["no type", "{}"],
    ["a type of a newer service", '{"type":"weather"}'],
    ["a type that is a property of every object", '{"type":"constructor"}'],
    ["a field of another type", '{"type":"heartbeat","server_time":"now","live":true}'],
    ["a number that is none", '{"type":"pong","id":1,"server_time":1e999}'],
  ])("with %s is ignored", (_, text) => {
    expect(parseServerFrame(text)).toBeNull();
  });

  it("keeps the good runs of a merged frame beside bad ones", () => {
    const good = { edge: "edge_3", boot: "b", seq_from: 3, seq_to: 4, sent: 1, readings: [] };
    const backwards = { ...good, seq_from: 5 };
    const frame = parseServerFrame(JSON.stringify({ type: "merged", site: "site_7", interval: 1_000, batches: [backwards, good, { ...good, sent: "now" }] }));
    expect(frame).toMatchObject({ type: "merged", batches: [good] });
  });

  it("keeps the good batches beside a bad one", () => {
    const good = of("batch")[0]?.value;
    const frame = parseServerFrame(JSON.stringify({ type: "telemetry", site: "site_7", batches: [{ v: 2 }, good, null] }));
    expect(frame).toMatchObject({ type: "telemetry", batches: [good] });
  });
});
