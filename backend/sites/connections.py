"""How each driver reaches its device: the shapes of `Device.connection`, by driver.

They are checked when a person writes them, so that the mistake is named where it is made and not on the edge.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from rest_framework.exceptions import ValidationError

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$")

Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?$")]


class Modbus(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Modbus TCP. `timeout` in s; `max_gap` is how many unused registers one request may read across."""

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535)] = 502
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    timeout: Annotated[float, Meta(gt=0, le=60)] = 1.0
    max_gap: Annotated[int, Meta(ge=0, le=125)] = 8


DRIVERS: dict[str, type[msgspec.Struct]] = {"modbus": Modbus}


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
