"""Find BACnet devices with a Who-Is, and let one describe its objects."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import math
from collections import Counter
from collections.abc import AsyncIterator

from ems_contract.points import Reason

from ems_edge.driver import Found
from ems_edge.drivers.bacnet import PORT, place
from ems_edge.drivers.bacnet_draft import Described
from ems_edge.drivers.bacnet_messages import Peer
from ems_edge.drivers.bacnet_plan import BINARY, LAST_INSTANCE, MULTI_STATE, OBJECT_TYPES, TYPE_NAMES, ObjectId
from ems_edge.drivers.bacnet_station import Announced, Station, StationError
from ems_edge.drivers.bacnet_values import Item, Tag, items, number
from ems_edge.drivers.bacnet_wire import bound

EVERYBODY = "255.255.255.255"
ANY = "0.0.0.0:0"
_DEVICE = OBJECT_TYPES["device"]
_NAME, _VENDOR, _MODEL, _OBJECTS = 77, 121, 70, 76
_UNITS, _INACTIVE, _ACTIVE, _STATE_TEXT, _STATE_COUNT, _DEFAULT = 117, 46, 4, 110, 74, 104
_MINIMUM, _MAXIMUM = 69, 65
_OUTPUTS = frozenset({1, 4, 14, 54})
_INPUTS = frozenset({0, 3, 13, 23, 24})
MOST_OBJECTS, MOST_STATES = 10_000, 256
"""What a device may claim to have; a list is as long as a message, but a count can say anything."""
_GRACE = 0.1
"""s for what came in while a device was asked."""


async def scan(
    target: str = EVERYBODY,
    *,
    low: int = 0,
    high: int = LAST_INSTANCE,
    local: str | None = None,
    patience: float = 3.0,
    timeout: float = 3.0,  # noqa: ASYNC109 -- of each question, in s
) -> AsyncIterator[Found]:
    """Devices with an instance from `low` to `high`: everybody on the network, or those at an address.

    An address that ends in .255 is a network's broadcast. `local` is this machine's address:port; if not said, any
    address and port 47808, which hears the devices that answer to everybody, or any port where that is taken.
    `patience` in s is how long answers are waited for. Raises ValueError for what is no address, OSError for a port
    that is taken.
    """
    to = place(target, PORT)
    ipaddress.IPv4Address(to[0])
    station = _station(local)
    heard: asyncio.Queue[Announced] = asyncio.Queue()
    seen: set[Announced] = set()
    try:
        broadcast = to[0].endswith(".255")
        await station.who_is(to, low, high, heard.put_nowait, broadcast=broadcast)
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while (left := until - loop.time()) > 0:
            try:
                announced = await asyncio.wait_for(heard.get(), left)
            except TimeoutError:
                return
            if announced in seen or not low <= announced.instance <= high:
                continue
            seen.add(announced)
            yield await _found(station, announced, timeout)
            until = max(until, loop.time() + _GRACE)
    finally:
        station.close()


async def describe(address: str, instance: int, *, local: str = ANY, limit: float = 3.0) -> list[Described]:
    """All objects of one device. Raises OSError where it does not answer."""
    station = Station(*place(local, 0))
    try:
        peer = Peer(station, *place(address, PORT))
        return [await _described(peer, found, limit) for found in await _object_list(peer, instance, limit)]
    except StationError as error:
        raise OSError(f"{address}: {error}") from None
    finally:
        station.close()


def _station(local: str | None) -> Station:
    """Raises OSError where the port is taken."""
    anywhere = place(ANY, 0)
    *preferred, last = [place(local, 0)] if local else [(anywhere[0], PORT), anywhere]
    for where in preferred:
        with contextlib.suppress(OSError):
            bound(*where).close()
            return Station(*where)
    bound(*last).close()
    return Station(*last)


async def _found(station: Station, announced: Announced, limit: float) -> Found:
    host, port = announced.address
    address = host if port == PORT else f"{host}:{port}"
    peer = Peer(station, host, port)
    says = {"vendor": str(announced.vendor)}
    name = ""
    try:
        itself = await _properties(peer, (_DEVICE, announced.instance), (_NAME, _VENDOR, _MODEL), limit)
        name = _text(itself, _NAME)
        says["vendor"] = _text(itself, _VENDOR) or says["vendor"]
        says["model"] = _text(itself, _MODEL)
        objects = await _object_list(peer, announced.instance, limit)
        counts = Counter(TYPE_NAMES.get(kind, "other") for kind, _ in objects if kind != _DEVICE)
        says["objects"] = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    except StationError as error:
        says["problem"] = str(error)
    connection: dict[str, str | int | float | bool] = {"address": address, "device": announced.instance}
    return Found(name or f"device {announced.instance}", connection, {key: text for key, text in says.items() if text})


async def _object_list(peer: Peer, instance: int, limit: float) -> list[ObjectId]:
    """At once, or one by one where the list is too long for the device's messages."""
    itself = _DEVICE, instance
    try:
        listed = items(await peer.read_one(itself, _OBJECTS, limit))
    except StationError as error:
        if not error.refused:
            raise
        count = number(await peer.read_one(itself, _OBJECTS, limit, index=0))
        last = int(count) if not isinstance(count, Reason) and 0 <= count <= MOST_OBJECTS else 0
        listed = []
        for index in range(1, last + 1):
            listed += items(await peer.read_one(itself, _OBJECTS, limit, index=index))
    return [item for item in listed if isinstance(item, tuple)]


async def _described(peer: Peer, found: ObjectId, limit: float) -> Described:
    kind = found[0]
    if kind not in TYPE_NAMES or kind == _DEVICE:
        return Described(found, "")
    wanted: tuple[int, ...] = (_NAME, _INACTIVE, _ACTIVE) if kind in BINARY else (_NAME, _STATE_TEXT, _STATE_COUNT)
    if kind not in BINARY | MULTI_STATE:
        wanted = (_NAME, _UNITS, _MINIMUM, _MAXIMUM)
    said = await _properties(peer, found, (*wanted, _DEFAULT), limit)
    units = _float(said, _UNITS)
    return Described(
        found,
        _text(said, _NAME),
        units=None if units is None else int(units),
        states=_states(kind, said),
        commandable=kind in _OUTPUTS or (kind not in _INPUTS and _DEFAULT in said),
        minimum=_float(said, _MINIMUM),
        maximum=_float(said, _MAXIMUM),
    )


def _states(kind: int, said: dict[int, list[Item]]) -> tuple[str, ...]:
    if kind in BINARY:
        return _text(said, _INACTIVE) or "inactive", _text(said, _ACTIVE) or "active"
    if kind not in MULTI_STATE:
        return ()
    named = tuple(item for item in said.get(_STATE_TEXT, ()) if isinstance(item, str))
    return named or tuple(f"state {state}" for state in range(1, _count_of_states(said) + 1))


def _count_of_states(said: dict[int, list[Item]]) -> int:
    return int(min(max(_float(said, _STATE_COUNT) or 1, 1), MOST_STATES))


async def _properties(peer: Peer, found: ObjectId, wanted: tuple[int, ...], limit: float) -> dict[int, list[Item]]:
    """Those of them that the object has."""
    said: dict[int, list[Tag]] = {}
    try:
        many = await peer.read_many(((found, wanted),), limit)
        said = {one: tags for (_, one), tags in many.items() if tags is not None}
    except StationError as error:
        if not error.refused:
            raise
        for one in wanted:
            with contextlib.suppress(StationError):
                said[one] = await peer.read_one(found, one, limit)
    readable: dict[int, list[Item]] = {}
    for one, tags in said.items():
        with contextlib.suppress(ValueError):
            readable[one] = items(tags)
    return readable


def _text(said: dict[int, list[Item]], wanted: int) -> str:
    return next((item for item in said.get(wanted, ()) if isinstance(item, str)), "")


def _float(said: dict[int, list[Item]], wanted: int) -> float | None:
    """Infinite limits are none."""
    return next((item for item in said.get(wanted, ()) if isinstance(item, float) and math.isfinite(item)), None)
