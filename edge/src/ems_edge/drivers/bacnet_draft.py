"""A profile, drafted from what a BACnet device says of its objects. Pure.

It is where an integrator begins: names are the device's own, units are ours with the scale that leads to them, and
nothing is taken as writable that does not have a priority array to be given back to.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ems_edge.drivers.bacnet_plan import BINARY, MULTI_STATE, OBJECT_TYPES, TYPE_NAMES, ObjectId
from ems_edge.drivers.bacnet_units import UNITS

_COUNTED = frozenset({"Wh", "VAh", "varh"})
_SCALED = frozenset({"unit", "scale", "offset"})
_KEY_LENGTH = 48
_PLACES = 9
_NO_WORDS = frozenset({"true", "false", "null"})
"""In YAML these are something else."""


@dataclass(frozen=True, slots=True)
class Described:
    """An object, as its device describes it. `units` is BACnet's number; limits are in those units."""

    object: ObjectId
    name: str
    units: int | None = None
    states: tuple[str, ...] = ()
    """Of a binary object: inactive, active. Of a multi-state object: from 1 on."""
    commandable: bool = False
    minimum: float | None = None
    maximum: float | None = None


def draft(profile: str, name: str, described: Iterable[Described], *, says: str = "") -> str:
    """The profile's YAML. Objects that hold no value (schedules, logs, ...) are left out, and counted in a comment."""
    points: list[str] = []
    taken: set[str] = set()
    others = 0
    for one in described:
        if one.object[0] not in TYPE_NAMES:
            others += 1
        elif one.object[0] != OBJECT_TYPES["device"]:
            points.append(_point(one, taken))
    head = [
        f"# Drafted from the device's own list of objects{f': {_one_line(says)}' if says else ''}. Check it.",
        *([f"# {others} objects hold no value that could be a point."] if others else []),
        f"profile: {_word(profile, set())}",
        f"name: {_text(name)}",
        "driver: bacnet",
        "source: The device's own list of objects",
        "verified: false",
        "points:",
    ]
    return "\n".join([*head, *points, ""])


def _point(one: Described, taken: set[str]) -> str:
    kind, instance = one.object
    key = _word(one.name or f"{TYPE_NAMES[kind]}_{instance}", taken)
    fields = {"key": key, "name": _text(one.name.strip() or key), **dict(_meaning(one))}
    fields["object"] = json.dumps(f"{TYPE_NAMES[kind]},{instance}")
    if one.commandable:
        fields["writable"] = "true"
        fields |= dict(_limits(one, float(fields.get("scale", 1)), float(fields.get("offset", 0))))
    line = "  - {" + ", ".join(f"{field}: {value}" for field, value in fields.items()) + "}"
    unknown = one.units is not None and one.units not in UNITS and not one.states
    return f"{line}  # its unit, number {one.units} of BACnet's, is none of ours" if unknown else line


def _meaning(one: Described) -> Iterator[tuple[str, str]]:
    if one.object[0] in BINARY | MULTI_STATE:
        first = 0 if one.object[0] in BINARY else 1
        names = one.states or (("inactive", "active") if one.object[0] in BINARY else ("state 1",))
        yield "unit", '""'
        yield "kind", "state"
        states = (f"{number}: {_text(text)}" for number, text in enumerate(names, start=first))
        yield "states", "{" + ", ".join(states) + "}"
        return
    unit, scale, offset = UNITS.get(one.units or 95, ("", 1.0, 0.0))
    yield "unit", json.dumps(unit, ensure_ascii=False)
    if unit in _COUNTED:
        yield "kind", "register"
    if scale != 1.0:
        yield "scale", f"{scale:.{_PLACES}g}"
    if offset:
        yield "offset", f"{offset:.{_PLACES}g}"


def _limits(one: Described, scale: float, offset: float) -> Iterator[tuple[str, str]]:
    if one.minimum is None or one.maximum is None:
        return
    low, high = (f"{limit * scale + offset:.{_PLACES}g}" for limit in (one.minimum, one.maximum))
    if -math.inf < float(low) < float(high) < math.inf:  # as they are written, not as they were
        yield "minimum", low
        yield "maximum", high


def _word(text: str, taken: set[str]) -> str:
    """A key from a name: Zone-Temp 1 -> zone_temp_1; a second one becomes zone_temp_1_2."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if not plain[:1].isalpha() or plain in _NO_WORDS:
        plain = f"p_{plain}".rstrip("_")
    word, number = plain[:_KEY_LENGTH], 1
    while word in taken:
        number += 1
        end = f"_{number}"
        word = plain[: _KEY_LENGTH - len(end)] + end
    taken.add(word)
    return word


def _text(text: str) -> str:
    return json.dumps(_one_line(text) or "-", ensure_ascii=False)


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
