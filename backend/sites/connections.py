"""How each driver reaches its device: the shapes of `Device.connection`, by driver.

They are checked when a person writes them, so that the mistake is named where it is made and not on the edge.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from rest_framework.exceptions import ValidationError

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$")

Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?$")]


class Modbus(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A `host` (Modbus TCP, or RTU frames over TCP) or a `serial` line of the edge. `timeout` and `delay` in s.

    `max_gap` is how many unused registers one request may read across, `max_words` how many it may read; `write` says
    with which functions is written: single (5, 6), multiple (15, 16), or what the device knows.
    """

    host: Host | msgspec.UnsetType = msgspec.UNSET
    port: Annotated[int, Meta(ge=1, le=65535)] = 502
    framer: Literal["tcp", "rtu"] = "tcp"
    serial: Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9._:/-]{1,255}|COM[0-9]{1,3})$")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    baudrate: Annotated[int, Meta(ge=300, le=4_000_000)] = 19200
    parity: Literal["none", "even", "odd"] = "even"
    stop_bits: Annotated[int, Meta(ge=1, le=2)] = 1
    bytesize: Annotated[int, Meta(ge=7, le=8)] = 8
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    timeout: Annotated[float, Meta(gt=0, le=60)] = 1.0
    delay: Annotated[float, Meta(ge=0, le=5)] = 0.0
    max_gap: Annotated[int, Meta(ge=0, le=125)] = 8
    max_words: Annotated[int, Meta(ge=4, le=125)] = 125
    write: Literal["auto", "single", "multiple"] = "auto"
    mask_write: bool = True


class SunSpec(Modbus, frozen=True, kw_only=True):
    """As Modbus; `base` is where the SunSpec marker is, where it is at none of its usual places."""

    base: Annotated[int, Meta(ge=0, le=65533)] | None = None


class Bacnet(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """BACnet/IP. `address` is host or host:port, `device` its instance, `local` this side's address:port.

    `timeout` in s; `priority` is that of every write; with `cov` changes are subscribed to, `cov_lifetime` s at a time.
    """

    address: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?$")]
    device: Annotated[int, Meta(ge=0, le=4_194_302)] | None = None
    local: Annotated[str, Meta(pattern=r"^([0-9]{1,3}\.){3}[0-9]{1,3}(:[0-9]{1,5})?$")] = "0.0.0.0:0"
    timeout: Annotated[float, Meta(gt=0, le=60)] = 3.0
    priority: Annotated[int, Meta(ge=1, le=16)] = 9
    cov: bool = False
    cov_confirmed: bool = True
    cov_lifetime: Annotated[int, Meta(ge=10, le=86_400)] = 300


class Mqtt(msgspec.Struct, frozen=True):
    """A broker: port 1883, or 8883 with TLS, if not said. `ca_file` is on the edge; `timeout` in s, 0 for never.

    Beside these stand the variables of the profile's topics, such as base or id: see `_check_variables`.
    """

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    username: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    password: Annotated[str, Meta(max_length=1024)] | None = None
    tls: bool = False
    ca_file: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    client_id: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    timeout: Annotated[float, Meta(ge=0, le=86_400)] | None = None


DRIVERS: dict[str, type[msgspec.Struct]] = {"bacnet": Bacnet, "modbus": Modbus, "mqtt": Mqtt, "sunspec": SunSpec}

MOST_SERIAL_UNITS = 247
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")


def check_connection(driver: str, connection: Any) -> None:
    """Raises ValidationError naming `driver`, or `connection` and the part of it."""
    shape = DRIVERS.get(driver)
    if shape is None:
        raise ValidationError({"driver": f"There is no such driver; use one of {', '.join(DRIVERS)}."})
    try:
        msgspec.convert(connection, shape)
    except msgspec.ValidationError as error:
        place = _PLACE.match(str(error))
        what, path = (place["what"], place["path"]) if place else (str(error), None)
        raise ValidationError({"connection": {path: what} if path else what}) from None
    if shape is Mqtt:
        _check_variables(connection)
    if issubclass(shape, Modbus):
        _check_line(connection)


def _check_line(connection: dict[str, Any]) -> None:
    """One line, and a unit that may be on it. Raises ValidationError."""
    host, serial = connection.get("host"), connection.get("serial")
    if not host and not serial:
        raise ValidationError({"connection": {"host": "Give a host, or a serial line of the edge."}})
    if host and serial:
        raise ValidationError({"connection": {"serial": "Give either a host or a serial line."}})
    rtu = serial or connection.get("framer") == "rtu"
    if rtu and not 1 <= connection.get("unit", 1) <= MOST_SERIAL_UNITS:
        raise ValidationError({"connection": {"unit": f"In RTU frames a unit is 1 to {MOST_SERIAL_UNITS}."}})


def _check_variables(connection: dict[str, Any]) -> None:
    """Which ones a profile needs is known on the edge; here they are plain parts of topics. Raises ValidationError."""
    for name, value in connection.items():
        if name in Mqtt.__struct_fields__:
            continue
        if not _VARIABLE.match(name):
            raise ValidationError({"connection": {name: "A variable of topics is a lower-case word, such as base."}})
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not 0 < len(text) <= 255 or not text.isprintable() or set(text) & set("+#"):
            raise ValidationError({"connection": {name: "Write a part of a topic: text without + and #."}})
