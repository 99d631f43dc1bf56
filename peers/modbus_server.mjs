// A Modbus TCP server on the stack `modbus-serial`: four tables of 1,000 entries, for every unit.
//
//   node modbus_server.mjs PORT      listens on 127.0.0.1 and prints "listening PORT"
//
// Holding register n starts as 3n, input register n is 5n + 1, coil n is on where 3 divides n, discrete input n where n is
// odd. What is outside a table is exception 2.

import ModbusRTU from "modbus-serial";

const SIZE = 1000;
const ILLEGAL_ADDRESS = 2;

const holding = Array.from({ length: SIZE }, (_, n) => (3 * n) & 0xffff);
const input = Array.from({ length: SIZE }, (_, n) => (5 * n + 1) & 0xffff);
const coils = Array.from({ length: SIZE }, (_, n) => n % 3 === 0);
const discrete = Array.from({ length: SIZE }, (_, n) => n % 2 === 1);

function there(address) {
  if (address >= SIZE) {
    throw Object.assign(new Error("no such address"), { modbusErrorCode: ILLEGAL_ADDRESS });
  }
  return address;
}

const vector = {
  getHoldingRegister: (address) => holding[there(address)],
  getInputRegister: (address) => input[there(address)],
  getCoil: (address) => coils[there(address)],
  getDiscreteInput: (address) => discrete[there(address)],
  setRegister: (address, value) => {
    holding[there(address)] = value;
  },
  setCoil: (address, value) => {
    coils[there(address)] = Boolean(value);
  },
};

const port = Number(process.argv[2]);
const server = new ModbusRTU.ServerTCP(vector, { host: "127.0.0.1", port });
server.on("initialized", () => console.log(`listening ${port}`));
server.on("serverError", (error) => {
  console.error(error.message);
  process.exit(1);
});
server.on("socketError", () => {}); // a client that goes away is no error of ours
