"""Where an operation takes the id of a row of a tenant: in its body and in its filters, found in the description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from testing.matrix.operations import Operation
from testing.matrix.row import Row

Path = tuple[str | int, ...]
"""`("sites", 0, "site")`: where in a body."""

THINGS = {
    name: name
    for name in ("site", "organization", "edge", "asset", "user", "device", "membership", "invitation", "point")
} | {"parent": "asset", "sites": "site"}
"""Name of a field or a filter -> what it is the id of."""


def in_body(operation: Operation) -> Iterator[tuple[Path, str]]:
    """(path, thing) of every id in the operation's body."""
    if operation.body is not None:
        yield from _walk(operation, operation.body, ())


def _walk(operation: Operation, schema: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    schema = _plain(operation, schema)
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    kinds = schema.get("type", ())
    if "integer" in ([kinds] if isinstance(kinds, str) else kinds):
        if name in THINGS:
            yield path, THINGS[name]
        elif name == "id" and path[0] == "points":
            yield path, "loose_point"
    elif "items" in schema:
        yield from _walk(operation, schema["items"], (*path, 0))
    for each, inner in schema.get("properties", {}).items():
        yield from _walk(operation, inner, (*path, each))


def _plain(operation: Operation, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without references, and without the `null` beside what a field may be."""
    schema = operation.resolve(schema)
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            return _plain(operation, schema[word][0])
    return schema


def in_filters(operation: Operation) -> list[tuple[str, str]]:
    """(parameter, thing) of every filter by id."""
    names = [parameter["name"] for parameter in operation.parameters("query")]
    return [(name, THINGS[name]) for name in names if name in THINGS]


def replaced(body: Any, path: Path, value: object) -> Any:
    """A copy of the body with another value there; lists and objects on the way are made."""
    first, *rest = path
    if not rest:
        inner: Any = value
    else:
        held = _held(body, first)
        inner = replaced(held if held is not None else ([] if isinstance(rest[0], int) else {}), tuple(rest), value)
    if isinstance(first, int):
        return [inner, *(body or [])[1:]]
    return {**deepcopy(body or {}), first: inner}


def _held(body: Any, key: str | int) -> Any:
    if isinstance(body, Mapping):
        return body.get(key)
    return body[key] if isinstance(body, Sequence) and isinstance(key, int) and len(body) > key else None


def writable(operation: Operation) -> set[str]:
    """The names that the operation's body may have."""
    return set(operation.body.get("properties", {})) if operation.body is not None else set()


def succeeding(row: Row) -> str | None:
    """An actor for whom the row's call about `own` succeeds; the weakest there is. None: for nobody."""
    for target in ("own", "-", "oneself"):
        for actor, answer in row.grid.answers.get(target, {}).items():
            if answer == "ok" and actor not in {"anonymous", "edge_key", "token"}:
                return actor
    return None
