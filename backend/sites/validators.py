"""What a single value of a row may be. The messages name the remedy."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from ems_contract.points import is_point_key


def check_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"{name!r} is not an IANA time zone; write one such as Europe/Berlin")


def check_point_key(key: str) -> None:
    if not is_point_key(key):
        raise ValidationError(f"{key!r} is not a point key; write <device>.<name> in lower case")


def check_connection(connection: object) -> None:
    """The contract's shape: what an edge could not decode is not stored."""
    if not isinstance(connection, dict) or not all(isinstance(v, str | int | float) for v in connection.values()):
        raise ValidationError('Write an object of plain values, such as {"host": "10.0.0.5", "port": 502, "unit": 1}.')


check_device_key = RegexValidator(
    r"^[a-z][a-z0-9_]*\Z", "A device key is lower-case letters, digits and _, starting with a letter."
)
