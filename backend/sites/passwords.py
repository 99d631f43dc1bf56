"""The password in a device's connection: it goes to the edge in its session, and is shown to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError

PASSWORD = "password"  # noqa: S105 - its name
_WHERE_IT_GOES = ("host", "port", "username", "tls", "ca_file")


def without_password(connection: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in connection.items() if name != PASSWORD}


def with_password(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """`new`, with the old password where it has none; an empty one removes it. Null means left out, for an edge knows
    plain values only.

    Only while it goes where it went: whoever may not see a password must not have it sent to a host of their own.
    Raises ValidationError.
    """
    new = {name: value for name, value in new.items() if value is not None}
    if PASSWORD in new:
        return new if new[PASSWORD] != "" else without_password(new)
    kept = old.get(PASSWORD)
    if kept is None:
        return new
    moved = [name for name in _WHERE_IT_GOES if new.get(name) != old.get(name)]
    if moved:
        raise ValidationError(
            {"connection": {PASSWORD: f"Write it again: the {moved[0]} is another one. An empty text means none."}}
        )
    return {**new, PASSWORD: kept}
