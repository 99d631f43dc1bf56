"""The edge reads and writes a server of another stack: Node's modbus-serial."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from edge_support.waiting import free_port
from ems_contract.points import Reason
from ems_edge.decode import Codec, Order, Type
from ems_edge.driver import DeviceSpec, WritableDevice
from ems_edge.drivers.modbus import ModbusDriver
from ems_edge.drivers.modbus_plan import RegisterSource
from ems_stack import peers

WORD, BIT = Codec(Type.UINT16), Codec(Type.BIT)


@contextlib.asynccontextmanager
async def node_server() -> AsyncIterator[int]:
    """Its port."""
    port = free_port()
    command = await asyncio.to_thread(peers.script, "modbus_server")
    server = await asyncio.create_subprocess_exec(*command, str(port), stdout=asyncio.subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert await asyncio.wait_for(server.stdout.readline(), 30) == f"listening {port}\n".encode()
        yield port
    finally:
        server.terminate()
        await server.wait()


async def test_every_function_is_read_and_written() -> None:
    sources = (
        *(RegisterSource(f"holding_{at}", "holding", at, WORD, writable=True) for at in (*range(20), 900)),
        *(RegisterSource(f"input_{at}", "input", at, WORD) for at in range(100, 120)),
        *(RegisterSource(f"coil_{at}", "coil", at, BIT, writable=True) for at in range(19)),
        *(RegisterSource(f"discrete_{at}", "discrete", at, BIT) for at in range(5, 40)),
        RegisterSource("level", "holding", 200, Codec(Type.FLOAT32, word_order=Order.LITTLE), writable=True),
        RegisterSource("total", "holding", 210, Codec(Type.INT64, scale=0.1), writable=True),
        RegisterSource("pump", "holding", 220, Codec(Type.BIT, bit=9), writable=True),
        RegisterSource("beyond", "input", 2000, WORD),
    )
    made = ModbusDriver()
    async with node_server() as port:
        device = made.device(DeviceSpec("peer", {"host": "127.0.0.1", "port": port, "timeout": 5}, 1.0, sources))
        assert isinstance(device, WritableDevice)
        values = await device.read()
        for name, value in values.items():
            table, _, number = name.partition("_")
            expected = {
                "holding": lambda at: 3 * at,
                "input": lambda at: 5 * at + 1,
                "coil": lambda at: at % 3 == 0,
                "discrete": lambda at: at % 2,
            }
            assert not number or value == expected[table](int(number)), name
        assert values["beyond"] is Reason.DEVICE_EXCEPTION
        assert values["pump"] == 660 >> 9 & 1
        for point, written in {
            "holding_7": 65535.0,
            "coil_4": 1.0,
            "level": -12.5,
            "total": -123456789012.3,
            "pump": 0.0,  # without FC22, which this stack does not know
        }.items():
            await device.write(point, written)
            assert await device.read_back(point) == written
        values = await device.read()
        assert (values["holding_7"], values["holding_6"], values["coil_4"], values["coil_5"]) == (65535, 18, 1, 0)
        multiple = {"host": "127.0.0.1", "port": port, "timeout": 5, "write": "multiple"}
        plural = made.device(DeviceSpec("plural", multiple, 1.0, sources))
        assert isinstance(plural, WritableDevice)
        for point in ("holding_8", "coil_5"):
            await plural.write(point, 1.0)
            assert await plural.read_back(point) == 1.0
        await made.close()
