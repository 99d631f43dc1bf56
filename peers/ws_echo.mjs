// A WebSocket client on `ws`, which forgives no broken frame: says messages of each size and hears them again.
//
//   node ws_echo.mjs URL SIZE...      prints {"same": [sizes that came back as they were], "code", "extensions"}
//
// Each size is said twice, first all of them as text, then as bytes.

import { WebSocket } from "ws";

const [url, ...sizes] = process.argv.slice(2);
const texts = sizes.map((size) => "é".repeat(size / 2) + "x".repeat(size % 2));
const said = [...texts, ...sizes.map((size) => Buffer.alloc(+size, 0xff))];
const same = [];

const socket = new WebSocket(url, { perMessageDeflate: true, maxPayload: 0 });
socket.on("open", () => said.forEach((message) => socket.send(message)));
socket.on("message", (data, binary) => {
  const expected = said[same.length];
  if (binary !== (typeof expected !== "string") || !data.equals(Buffer.from(expected))) {
    throw new Error(`message ${same.length} came back as another one`);
  }
  same.push(data.length);
  if (same.length === said.length) {
    socket.close(1000);
  }
});
socket.on("close", (code) => console.log(JSON.stringify({ same, code, extensions: socket.extensions })));
