// A BACnet/IP device on @bacnet-js/client: a fan coil unit with a sensor, a fan, a mode and a setpoint that is commanded
// by priority. node bacnet_device.mjs --port N [--instance N] [--without rpm,cov,flags]
//
// It prints a JSON line for what happens: {"event": "listening", port}, {"event": "subscribed" | "notified" | "written",
// ...}. It takes a JSON line for what shall happen: {"set": "analog-input,1", "value": 21.5}, {"flags": "analog-input,1",
// "value": [false, true, false, false]}, {"silent": true}, {"error": [class, code]}, {"text": "analog-input,1"},
// {"forget": true}: its subscriptions; {"reset": true}: everything that was ordered, written or subscribed to.
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import bacnet from "@bacnet-js/client";

const { default: Client, ApplicationTag, ObjectType, PropertyIdentifier: Property } = bacnet;
const { values: options } = parseArgs({
  options: {
    port: { type: "string" },
    instance: { type: "string", default: "4711" },
    without: { type: "string", default: "" },
  },
});
const without = new Set(options.without.split(","));
const instance = Number(options.instance);
const SERVICE = { subscribeCov: 5, readProperty: 12, readPropertyMultiple: 14, writeProperty: 15 };
const OBJECT_ERROR = [1, 31];
const PROPERTY_ERROR = [2, 32];
const READ_ONLY = [2, 40];

const real = (value) => ({ type: ApplicationTag.REAL, value });
const unsigned = (value) => ({ type: ApplicationTag.UNSIGNED_INTEGER, value });
const enumerated = (value) => ({ type: ApplicationTag.ENUMERATED, value });
const text = (value) => ({ type: ApplicationTag.CHARACTER_STRING, value });
const nothing = { type: ApplicationTag.NULL, value: null };

/** `value` makes the present value; `slots` are the sixteen priorities of a commandable object. */
function object(name, type, number, value, initial, more) {
  const slots = more?.commandable ? Array(16).fill(null) : null;
  const flags = [false, false, false, false];
  return { name, id: { type, instance: number }, make: value, first: initial, initial, slots, flags, more };
}

const objects = new Map(
  [
    object("analog-input,1", ObjectType.ANALOG_INPUT, 1, real, 20.5, {
      name: "Room Temperature", units: 62, increment: 0.5,
    }),
    object("analog-input,2", ObjectType.ANALOG_INPUT, 2, real, 1.25, { name: "Power", units: 48, increment: 0.1 }),
    object("binary-input,1", ObjectType.BINARY_INPUT, 1, enumerated, 1, { name: "Fan", texts: ["stopped", "running"] }),
    object("multi-state-value,1", ObjectType.MULTI_STATE_VALUE, 1, unsigned, 2, {
      name: "Mode", states: ["off", "heating", "cooling"],
    }),
    object("analog-value,1", ObjectType.ANALOG_VALUE, 1, real, 21, {
      name: "Setpoint", units: 62, increment: 0.1, commandable: true,
    }),
    object("binary-output,1", ObjectType.BINARY_OUTPUT, 1, enumerated, 0, { name: "Valve", commandable: true }),
  ].map((made) => [made.name, made]),
);
const byId = new Map([...objects.values()].map((one) => [`${one.id.type},${one.id.instance}`, one]));
const subscriptions = new Map();
let silent = false;
let failing = null;

const client = new Client({ port: Number(options.port), interface: "127.0.0.1" });
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

function presentValue(one) {
  if (one.text) return text("warm");
  const commanded = one.slots?.find((slot) => slot !== null);
  return one.make(commanded ?? one.initial);
}

const flagsOf = (one) => ({
  type: ApplicationTag.BIT_STRING,
  value: { value: [one.flags.reduce((bits, set, bit) => bits | (Number(set) << bit), 0)], bitsUsed: 4 },
});

function deviceProperty(id) {
  switch (id) {
    case Property.OBJECT_IDENTIFIER:
      return [{ type: ApplicationTag.OBJECTIDENTIFIER, value: { type: ObjectType.DEVICE, instance } }];
    case Property.OBJECT_NAME:
      return [text("Fan coil 12")];
    case Property.VENDOR_NAME:
      return [text("Another maker")];
    case Property.MODEL_NAME:
      return [text("FC-1")];
    case Property.MAX_APDU_LENGTH_ACCEPTED:
      return [unsigned(480)];
    case Property.SEGMENTATION_SUPPORTED:
      return [enumerated(3)];
    case Property.OBJECT_LIST:
      return [{ type: ObjectType.DEVICE, instance }, ...[...objects.values()].map((one) => one.id)].map((value) => ({
        type: ApplicationTag.OBJECTIDENTIFIER,
        value,
      }));
    default:
      return null;
  }
}

function objectProperty(one, id) {
  const { units, increment, texts, states, name } = one.more;
  const some = (value, make) => (value === undefined ? null : [make(value)]);
  switch (id) {
    case Property.PRESENT_VALUE:
      return [presentValue(one)];
    case Property.STATUS_FLAGS:
      return without.has("flags") ? null : [flagsOf(one)];
    case Property.OBJECT_NAME:
      return [text(name)];
    case Property.UNITS:
      return some(units, enumerated);
    case Property.COV_INCREMENT:
      return some(increment, real);
    case Property.INACTIVE_TEXT:
      return some(texts?.[0], text);
    case Property.ACTIVE_TEXT:
      return some(texts?.[1], text);
    case Property.NUMBER_OF_STATES:
      return some(states?.length, unsigned);
    case Property.STATE_TEXT:
      return states ? states.map(text) : null;
    case Property.PRIORITY_ARRAY:
      return one.slots ? one.slots.map((slot) => (slot === null ? nothing : one.make(slot))) : null;
    case Property.RELINQUISH_DEFAULT:
      return one.slots ? [one.make(one.initial)] : null;
    default:
      return null;
  }
}

/** The values of a property, or the error that it is. */
function read(id, property) {
  if (id.type === ObjectType.DEVICE) {
    const wildcard = 4194303;
    if (id.instance !== instance && id.instance !== wildcard) return { error: OBJECT_ERROR };
    const found = deviceProperty(property);
    return found ? { found } : { error: PROPERTY_ERROR };
  }
  const one = byId.get(`${id.type},${id.instance}`);
  if (!one) return { error: OBJECT_ERROR };
  const found = objectProperty(one, property);
  return found ? { found } : { error: PROPERTY_ERROR };
}

/** Answers a confirmed request, unless a fault says otherwise. */
function serve(event, service, answer) {
  client.on(event, (request) => {
    const { invokeId, payload } = request;
    const to = { address: request.header.sender.address };
    const refuse = ([kind, code]) => client.errorResponse(to, service, invokeId, kind, code);
    if (silent) return;
    if (failing) refuse(failing);
    else answer({ to, invokeId, payload, refuse });
  });
}

serve("readProperty", SERVICE.readProperty, ({ to, invokeId, payload, refuse }) => {
  const { found, error } = read(payload.objectId, payload.property.id);
  if (error) refuse(error);
  else client.readPropertyResponse(to, invokeId, payload.objectId, payload.property, found);
});

if (!without.has("rpm")) {
  serve("readPropertyMultiple", SERVICE.readPropertyMultiple, ({ to, invokeId, payload }) => {
    say({ event: "read", objects: payload.properties.length });
    const results = payload.properties.map(({ objectId, properties }) => ({
      objectId,
      values: properties.map((property) => {
        const { found, error } = read(objectId, property.id);
        return { property, value: found ?? [{ value: { type: "BacnetError", errorClass: error[0], errorCode: error[1] } }] };
      }),
    }));
    client.readPropertyMultipleResponse(to, invokeId, results);
  });
}

serve("writeProperty", SERVICE.writeProperty, ({ to, invokeId, payload, refuse }) => {
  const one = byId.get(`${payload.objectId.type},${payload.objectId.instance}`);
  const { property, value, priority } = payload.value;
  if (!one) return refuse(OBJECT_ERROR);
  if (!one.slots || property.id !== Property.PRESENT_VALUE) return refuse(READ_ONLY);
  const slot = priority >= 1 && priority <= 16 ? priority : 16;
  one.slots[slot - 1] = value[0].type === ApplicationTag.NULL ? null : value[0].value;
  say({ event: "written", object: one.name, priority: slot, value: one.slots[slot - 1], tag: value[0].type });
  client.simpleAckResponse(to, SERVICE.writeProperty, invokeId);
  notify(one);
});

if (!without.has("cov")) {
  serve("subscribeCov", SERVICE.subscribeCov, ({ to, invokeId, payload, refuse }) => {
    const one = byId.get(`${payload.monitoredObjectId.type},${payload.monitoredObjectId.instance}`);
    if (!one) return refuse(OBJECT_ERROR);
    const key = `${to.address} ${payload.subscriberProcessId} ${one.name}`;
    if (payload.cancellationRequest) subscriptions.delete(key);
    else {
      subscriptions.set(key, {
        to,
        one,
        process: payload.subscriberProcessId,
        confirmed: payload.issueConfirmedNotifications,
        until: Date.now() + payload.lifetime * 1000,
      });
    }
    client.simpleAckResponse(to, SERVICE.subscribeCov, invokeId);
    say({
      event: payload.cancellationRequest ? "unsubscribed" : "subscribed",
      object: one.name,
      confirmed: Boolean(payload.issueConfirmedNotifications),
      lifetime: payload.lifetime,
    });
    if (!payload.cancellationRequest) notify(one, key);
  });
}

function notify(one, only) {
  if (silent) return;
  for (const [key, { to, one: subscribed, process: id, confirmed, until }] of subscriptions) {
    if (subscribed !== one || (only && only !== key)) continue;
    if (until < Date.now()) {
      subscriptions.delete(key);
      continue;
    }
    const values = [
      { property: { id: Property.PRESENT_VALUE }, value: [presentValue(one)] },
      { property: { id: Property.STATUS_FLAGS }, value: [flagsOf(one)] },
    ];
    const left = Math.round((until - Date.now()) / 1000);
    if (confirmed) {
      client.confirmedCOVNotification(to, one.id, id, instance, left, values).then(
        () => say({ event: "acknowledged", object: one.name }),
        (error) => say({ event: "not acknowledged", object: one.name, error: String(error) }),
      );
    } else {
      client.unconfirmedCOVNotification(to, id, instance, one.id, left, values);
    }
  }
}

client.on("whoIs", ({ header, payload }) => {
  const { lowLimit = 0, highLimit = Number.MAX_SAFE_INTEGER } = payload ?? {};
  if (!silent && instance >= lowLimit && instance <= highLimit) {
    client.iAmResponse({ address: header.sender.address }, instance, 3, 999);
  }
});

client.on("listening", () => say({ event: "listening", port: Number(options.port) }));
client.on("error", (error) => {
  say({ event: "error", error: String(error) });
  process.exit(1);
});

function reset() {
  silent = false;
  failing = null;
  subscriptions.clear();
  for (const one of objects.values()) {
    one.initial = one.first;
    one.flags = [false, false, false, false];
    one.text = false;
    one.slots?.fill(null);
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  if ("silent" in order) silent = order.silent;
  if ("error" in order) failing = order.error;
  if (order.forget) subscriptions.clear();
  if (order.reset) reset();
  const one = objects.get(order.set ?? order.flags ?? order.text);
  if (one) {
    if (order.set) one.initial = order.value;
    if (order.flags) one.flags = order.value;
    if (order.text) one.text = true;
    notify(one);
  }
  say({ event: "done" });
}).on("close", () => process.exit(0));
