"""A Modbus TCP server that is as fast as Python allows, so that what reads it is measured and not itself.

    python -m ems_prove.register_server COUNT     prints the ports, one for each device, then serves until it is killed

Every holding register of every unit is WORD; unit SILENT never answers.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from typing import cast

WORD = 0x42F6
"""As float32 twice over: 123.13. No type calls it no value."""
SILENT = 247
_DATA = struct.pack(">125H", *[WORD] * 125)


class Served(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers = []
        while len(self._buffer) >= 12:
            request, self._buffer = self._buffer[:12], self._buffer[12:]
            if request[6] != SILENT:
                size = 2 * int.from_bytes(request[10:12])
                answers.append(request[:4] + struct.pack(">HBBB", size + 3, request[6], 3, size) + _DATA[:size])
        self._transport.write(b"".join(answers))


async def serve(count: int) -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Served, "127.0.0.1", 0) for _ in range(count)]
    sys.stdout.write(" ".join(str(server.sockets[0].getsockname()[1]) for server in servers) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
