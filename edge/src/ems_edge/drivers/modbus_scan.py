"""Which units answer on a line, or at the addresses of a network, and what they call themselves."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec
from ems_contract.points import Reason
from msgspec.structs import replace

from ems_edge.driver import Found
from ems_edge.drivers.modbus_connection import Connection
from ems_edge.drivers.modbus_frames import Request, identify, read
from ems_edge.drivers.modbus_link import Link, LinkError

Given = Mapping[str, str | int | float | bool]
"""A device's connection, as people write it."""
UNITS = range(1, 248)
MOST_HOSTS = 1024
_HOSTS_AT_ONCE = 32
_GATEWAY = frozenset({10, 11})
"""A gateway's exceptions: it answers, and the unit does not."""
_RANGE = re.compile(r"((?:\d+\.){3})(\d+)-(\d+)\Z")
_NAMES = {0: "vendor", 1: "product", 2: "version"}


async def scan(connection: Given, units: Iterable[int] = UNITS, hosts: Sequence[str] = ()) -> AsyncIterator[Found]:
    """Each unit that answers anything, an exception too. `connection` is as a device's, without its unit.

    `hosts` are instead of its host: names, addresses, networks (10.0.0.0/24), ranges (10.0.0.5-20), many at once. Each
    unit costs a request, and `timeout` where nobody answers. Raises ValueError where connection or hosts cannot be.
    """
    wanted = list(units)
    async for found in at_once(each(connection, hosts, Connection), lambda line: _units(line, wanted)):
        yield found


async def at_once[C](lines: Sequence[C], look: Callable[[C], AsyncIterator[Found]]) -> AsyncIterator[Found]:
    """What is found on many lines, line by line; on a single one, as it is found."""
    if len(lines) == 1:
        async for found in look(lines[0]):
            yield found
        return
    gate = asyncio.Semaphore(_HOSTS_AT_ONCE)

    async def one(line: C) -> list[Found]:
        async with gate:
            return [found async for found in look(line)]

    tasks = [asyncio.create_task(one(line)) for line in lines]
    try:
        for done in asyncio.as_completed(tasks):
            for found in await done:
                yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def each[C: Connection](connection: Given, hosts: Sequence[str], shape: type[C]) -> list[C]:
    """The connection at each host, or at its own line. Raises ValueError."""
    if not hosts:
        return [msgspec.convert(dict(connection), shape)]
    return [msgspec.convert({**connection, "host": host}, shape) for text in hosts for host in _expand(text)]


@asynccontextmanager
async def asking(connection: Connection) -> AsyncIterator[Asking]:
    link = Link(connection.line)
    link.delay = connection.delay
    try:
        yield Asking(link, connection.timeout)
    finally:
        link.drop()


class Asking:
    """One line, used by nobody else just now."""

    def __init__(self, link: Link, timeout: float) -> None:
        self._link = link
        self._timeout = timeout

    async def ask(self, unit: int, request: Request) -> bytes:
        """Raises LinkError."""
        await self._link.pause()
        return await self._link.request(unit, request, self._timeout)


def described(connection: Connection, unit: int) -> dict[str, str | int | float | bool]:
    """The connection of one unit, as it would be written: what is usual is left out."""
    found: dict[str, str | int | float | bool] = msgspec.to_builtins(replace(connection, unit=unit))
    usual = {**msgspec.to_builtins(type(connection)(host="any")), "host": ""}
    return {name: value for name, value in found.items() if name == "unit" or value != usual[name]}


async def _units(connection: Connection, units: Sequence[int]) -> AsyncIterator[Found]:
    async with asking(connection) as line:
        for unit in units:
            says: dict[str, str] = {}
            try:
                await line.ask(unit, read("holding", 0, 1))
            except LinkError as error:
                if error.reason is Reason.CONNECTION_LOST:
                    return  # nobody is there
                if error.code is None or error.code in _GATEWAY:
                    continue
            with suppress(LinkError):  # most devices do not know this function
                says = _named(await line.ask(unit, identify()))
            name = " ".join(filter(None, (says.get("vendor"), says.get("product")))) or f"unit {unit}"
            yield Found(name, described(connection, unit), says)


def _named(pdu: bytes) -> dict[str, str]:
    """What a device says of itself (Modbus 1.1b3, 6.21); as much of it as makes sense."""
    says: dict[str, str] = {}
    at = 7
    for _ in range(pdu[6] if len(pdu) > 6 else 0):
        if at + 2 > len(pdu):
            break
        number, length = pdu[at], pdu[at + 1]
        text = pdu[at + 2 : at + 2 + length].decode("ascii", "replace").strip("\0 ")
        if number in _NAMES and text.isprintable() and text:
            says[_NAMES[number]] = text
        at += 2 + length
    return says


def _expand(text: str) -> list[str]:
    if parts := _RANGE.match(text):
        first, last = int(parts[2]), int(parts[3])
        if not first <= last <= 255:
            raise ValueError(f"hosts: {text!r} is no range; write 10.0.0.5-20")
        return [f"{parts[1]}{number}" for number in range(first, last + 1)]
    if "/" not in text:
        return [text]
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"hosts: {text!r} is no network; write 10.0.0.0/24") from None
    if network.num_addresses > MOST_HOSTS:
        raise ValueError(f"hosts: {text!r} has {network.num_addresses} addresses; scan {MOST_HOSTS} at once")
    return [str(host) for host in network.hosts()]
