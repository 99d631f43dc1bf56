// Telemetry over Socket.IO: a Redis subscriber, and a room for each site.
//
//   node socketio_fanout.mjs PORT REDIS_URL      listens on 127.0.0.1 and prints "listening PORT"
//
// A client joins its site's room with the event `subscribe`. A batch is one event, as a string. No access is checked.

import { createServer } from "node:http";

import { createClient } from "@redis/client";
import { Server } from "socket.io";

const [port, redisUrl] = process.argv.slice(2);

const http = createServer();
const io = new Server(http, { transports: ["websocket"], pingInterval: 300_000, serveClient: false });
io.on("connection", (socket) => {
  socket.on("subscribe", async (site) => {
    await socket.join(site);
    socket.emit("subscribed", site);
  });
});

const redis = await createClient({ url: redisUrl, RESP: 2 }).connect();
await redis.pSubscribe("telemetry:*", (batch, channel) => {
  io.to(channel.slice("telemetry:".length)).emit("batch", batch);
});

http.listen(Number(port), "127.0.0.1", () => console.log(`listening ${port}`));
