// Telemetry over WebSocket as one writes it on `ws`: a Redis subscriber, and a send for each client.
//
//   node ws_fanout.mjs PORT REDIS_URL      listens on 127.0.0.1 and prints "listening PORT"
//
// A client names its site with its first message. No access is checked.

import { createClient } from "@redis/client";
import { WebSocketServer } from "ws";

const [port, redisUrl] = process.argv.slice(2);
const clients = new Map();

const redis = await createClient({ url: redisUrl, RESP: 2 }).connect();
await redis.pSubscribe(
  "telemetry:*",
  (batch, channel) => {
    const site = channel.toString().slice("telemetry:".length);
    for (const client of clients.get(site) ?? []) {
      client.send(batch, { binary: false });
    }
  },
  true, // as bytes: not decoded and encoded again
);

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(port), path: "/ws", perMessageDeflate: false });
server.on("connection", (client) => {
  client.once("message", (message) => {
    const site = message.toString();
    if (!clients.has(site)) {
      clients.set(site, new Set());
    }
    clients.get(site).add(client);
    client.on("close", () => clients.get(site).delete(client));
    client.send("subscribed");
  });
  client.on("error", () => client.terminate());
});
server.on("listening", () => console.log(`listening ${port}`));
