"""The JSON Schema of profiles, so that an editor completes them and marks what is wrong while it is typed.

    python -m ems_edge.profile_schema docs/reference/profile.schema.json

It is made from the same structs that the edge reads profiles with. What needs more than one field to know (registers
that overlap, limits the wrong way round) is only said by `ems-edge validate`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from ems_contract.points import UNITS

from ems_edge.profile import KINDS
from ems_edge.profile_common import WORD

_NAME = "^" + WORD.pattern.removesuffix("\\Z") + "$"
_PROFILE = {
    "profile": "What configurations call it: the file's name without .yaml.",
    "name": "Maker and model, for people.",
    "driver": "The protocol; it decides what else may stand here.",
    "source": "The maker's document that the facts are from, or where else.",
    "verified": "False where the maker's own document was not read.",
    "points": "Every signal of the device that somebody will look at.",
    "function": "Which registers, for points that do not say otherwise.",
    "word_order": "Which 16-bit word of a long number comes first.",
    "byte_order": "Which byte of a word comes first; hardly ever little.",
    "max_words": "Registers in one request, where the device takes fewer than 125.",
}
_POINT = {
    "key": "The point's word: lower-case letters, digits and _, such as active_power.",
    "name": "What people read.",
    "unit": "The base unit, W and not kW; the scale leads to it. Empty where there is none.",
    "kind": "gauge: a value at an instant. register: a counter that only grows. state: one of a few numbers.",
    "scale": "value = raw * scale + offset. A negative one turns the device's sign round.",
    "offset": "value = raw * scale + offset.",
    "sentinels": "Raw numbers by which the device says that it has no value.",
    "states": "What the raw numbers of a state are called; any other is bad.",
    "minimum": "In the point's unit; a value below is bad, and is not written.",
    "maximum": "In the point's unit; a value above is bad, and is not written.",
    "writable": "Whether it may be set.",
    "default": "Of a writable point: what is restored when nobody holds it.",
    "address": "0-based: what a manual calls 40001 is 0.",
    "type": "How the number is kept.",
    "bit": "Of type bit: which one, 0 is the lowest.",
    "models": "SunSpec models; the point is read in the first that the device has.",
    "point": "The model's name for it, such as W, or module[1].DCW.",
    "enable": "A point of the same model that is written 1 after the value, and 0 to give it up.",
    "object": "Type and instance: analog-input,1.",
    "property": "The present value, if not said.",
    "topic": "Where it is published; {variables} come from the connection.",
    "path": "Where in a JSON payload; without it the whole payload is the value.",
    "command": "How it is set.",
}


def schema() -> dict[str, Any]:
    """One document: `driver` decides which of the protocols' shapes the rest must have."""
    refs, definitions = msgspec.json.schema_components(list(KINDS.values()), ref_template="#/definitions/{name}")
    for name, definition in definitions.items():
        if definition.get("type") == "object":
            _finish(definition, _PROFILE if name.endswith("Profile") else _POINT)
    choices = [
        {"if": {"properties": {"driver": {"const": driver}}, "required": ["driver"]}, "then": ref}
        for driver, ref in zip(KINDS, refs, strict=True)
    ]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Profile of a device",
        "description": "Generated from ems_edge; do not edit.",
        "type": "object",
        "required": ["driver"],
        "properties": {"driver": {"enum": sorted(KINDS), "description": _PROFILE["driver"]}},
        "allOf": choices,
        "definitions": definitions,
    }


def _finish(definition: dict[str, Any], told: dict[str, str]) -> None:
    """What the structs do not carry: descriptions, names' shapes, the units there are, that nothing else may stand."""
    definition["additionalProperties"] = False
    definition.pop("description", None)
    properties = definition["properties"]
    for name, field in properties.items():
        if name in told:
            field["description"] = told[name]
    for name in ("profile", "key"):
        if name in properties:
            properties[name]["pattern"] = _NAME
    if "unit" in properties:
        properties["unit"] = {"enum": list(UNITS), "description": told["unit"]}


def main() -> None:
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
