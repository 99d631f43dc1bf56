"""Ask every cell of the table and compare. Cells are independent: what one changes is rolled back before the next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from django.db import transaction
from django.http import HttpResponseBase
from rest_framework.test import APIClient

from config.redis import client as redis_client
from testing.matrix.grid import OK, Answer
from testing.matrix.operations import Operation
from testing.matrix.row import Row
from testing.matrix.scene import Actor, Scene

_COLLECTIONS = re.compile(r"/(?P<collection>[a-z-]+)/\{(?P<parameter>\w+)\}")
_IRREGULAR = {
    "access-tokens": "access_token",
    "site-access": "site_access",
    "edge-keys": "edge_key",
    "sandboxes": "sandbox",
}
_READING = {"get"}


@dataclass(frozen=True)
class Told:
    """An answer without its request id, as it is compared."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes

    @classmethod
    def of(cls, answer: HttpResponseBase) -> Told:
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        headers = tuple(sorted((k, v) for k, v in answer.items() if k != "X-Request-ID"))
        return cls(answer.status_code, headers, content)

    def __str__(self) -> str:
        return f"{self.status} {self.content[:200].decode(errors='replace')}"


@dataclass(frozen=True)
class Mismatch:
    operation: Operation
    actor: str
    target: str
    expected: str
    got: str

    def __str__(self) -> str:
        call = f"{self.operation.method.upper()} {self.operation.path}"
        return f"{self.operation.id} ({call}), {self.actor}, {self.target}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True)
class Outcome:
    cells: int
    mismatches: list[Mismatch]


def join(table: Iterable[Row], operations: Iterable[Operation]) -> Iterator[tuple[Row, Operation]]:
    """Each row with its operation. Raises LookupError naming what is in one of the two only."""
    rows: dict[str, Row] = {}
    for row in table:
        if row.operation in rows:
            raise LookupError(f"the table has two rows for {row.operation}")
        rows[row.operation] = row
    known = {operation.id: operation for operation in operations}
    missing, gone = sorted(known.keys() - rows.keys()), sorted(rows.keys() - known.keys())
    if missing or gone:
        sentences = [
            f"{name} ({known[name].method.upper()} {known[name].path}) has no row in testing/matrix/table: say who may "
            "do it"
            for name in missing
        ]
        sentences += [f"{name} is in the table and no operation any more: remove its row" for name in gone]
        raise LookupError("\n".join(sentences))
    yield from ((rows[name], operation) for name, operation in known.items())


def play(scene: Scene, row: Row, operation: Operation) -> Outcome:
    """Every cell of one row."""
    mismatches, told = [], {}
    for target, actor, expected in row.grid:
        answer = told[target, actor] = ask(scene, row, operation, target, scene.actors[actor])
        if not (answer.status in operation.successes if expected == OK else answer.status == expected):
            mismatches.append(Mismatch(operation, actor, target, str(expected), str(answer)))
        elif answer.status not in operation.statuses:
            mismatches.append(Mismatch(operation, actor, target, "a status that its description has", str(answer)))
    for target, actor, expected in row.grid:
        if "nonexistent" in row.grid.answers and _hidden(row, target, actor, expected):
            same = told["nonexistent", actor]
            if told[target, actor] != same:
                wanted, got = (
                    same.content.decode(errors="replace"),
                    told[target, actor].content.decode(errors="replace"),
                )
                mismatches.append(Mismatch(operation, actor, target, f"byte for byte {wanted}", got))
    return Outcome(len(told), mismatches)


def _hidden(row: Row, target: str, actor: str, expected: Answer) -> bool:
    """What this actor must not tell from what does not exist: whatever is a 404, and anything foreign refused alike."""
    same = expected == row.grid.answers["nonexistent"][actor]
    return same and (expected == HTTPStatus.NOT_FOUND or target == "foreign") and expected != OK


def ask(scene: Scene, row: Row, operation: Operation, target: str, actor: Actor, **replaced: object) -> Told:
    """Call the operation as the actor about the target. `replaced`: another `body`, `query` or `method`."""
    client = APIClient(raise_request_exception=False)
    if actor.bearer:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {actor.bearer}")
    if row.cookie and actor.refresh:
        client.cookies["ems_refresh"] = actor.refresh
    path = address(scene, row, operation, target, actor)
    query = replaced.get("query", scene.fill(row.query, target, actor))
    body = replaced.get("body", scene.fill(row.body, target, actor))
    method = str(replaced.get("method", operation.method))
    with transaction.atomic():
        answer = client.generic(
            method.upper(),
            path,
            "" if body is None else json.dumps(body),
            content_type="application/json",
            query_params=query,
        )
        told = Told.of(answer)
        transaction.set_rollback(True)
    if method != "get":
        forget()
    return told


def address(scene: Scene, row: Row, operation: Operation, target: str, actor: Actor) -> str:
    """The operation's path with the target's ids."""
    ids: dict[str, object] = {}
    for match in _COLLECTIONS.finditer(operation.path):
        ids[match["parameter"]] = f"{{{_thing(match['collection'])}}}"
    filled: Mapping[str, object] = scene.fill({**ids, **row.path}, target, actor)
    return operation.path.format(**filled)


def _thing(collection: str) -> str:
    """`edge-keys` -> `edge_key`"""
    return _IRREGULAR.get(collection, collection.removesuffix("s").replace("-", "_"))


def forget() -> None:
    """What a rolled back call left in Redis: counted failures, epochs, an edge's user."""
    redis = redis_client()
    redis.flushdb()
    for name in map(str, redis.acl_users()):
        if name.startswith("edge_"):
            redis.acl_deluser(name)
