"""Examples for the API's description, made from a schema: the same schema always gives the same example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FORMATS: Mapping[str, Any] = {
    "date-time": "2026-03-29T00:00:00Z",
    "date": "2026-03-29",
    "email": "ada@example.com",
    "uri": "https://ems.example.com",
    "uuid": "6f1d7a52-0c2b-4b7c-9a43-0f6f5f0d2b11",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
}

_NAMES: Mapping[str, Any] = {
    "access": "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiMyJ9.c2lnbmF0dXJl",
    "address": "1 Mill Lane, Berlin",
    "boot": "6f1d7a52-0c2b-4b7c-9a43-0f6f5f0d2b11",
    "code": "492817",
    "connection": {"host": "10.0.0.5", "port": 502, "unit": 1},
    "count": 1,
    "device": "grid_meter",
    "driver": "modbus",
    "email": "ada@example.com",
    "expires": 1774742400000,
    "from": 1774742400000,
    "key": "grid_meter",
    "latitude": 52.52,
    "longitude": 13.4,
    "maximum": 25000.0,
    "minimum": -25000.0,
    "name": "Factory",
    "next": None,
    "parent": None,
    "password": "correct horse battery staple",
    "poll_interval": 5.0,
    "previous": None,
    "profile": "stl_meter",
    "site": 7,
    "slug": "factory",
    "software": "ems-edge 0.1.0",
    "timezone": "Europe/Berlin",
    "to": 1774744200000,
    "unit": "W",
}
"""Property name -> a value that reads well; taken only where the property's schema allows its type."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "null": (type(None),),
}


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "") -> Any:
    """`schemas` are the components that a `$ref` may name; `name` is the property that this is the schema of."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    for word in ("example", "const", "default"):
        if word in schema and schema[word] != "":
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            return example_of(schema[word][0], schemas, name)
    kinds = schema.get("type", "object")
    allowed = [kinds] if isinstance(kinds, str) else kinds
    if name in _NAMES and isinstance(_NAMES[name], tuple(t for kind in allowed for t in _TYPES[kind])):
        return _NAMES[name]
    return _of_type(allowed[0], schema, schemas)


def _of_type(kind: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    match kind:
        case "object":
            return {
                each: example_of(inner, schemas, each) for each, inner in schema.get("properties", {}).items()
            } or _map(schema, schemas)
        case "array":
            return [example_of(schema["items"], schemas)]
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "number":
            return float(max(1.0, schema.get("minimum", 1.0)))
        case "boolean":
            return False
        case "null":
            return None
    text: str = _FORMATS.get(schema.get("format", ""), "text")
    return text[: schema.get("maxLength", len(text))]


def _map(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """An object with names of the caller's own."""
    inner = schema.get("additionalProperties")
    return {"1": example_of(inner, schemas)} if isinstance(inner, Mapping) and inner else {}
