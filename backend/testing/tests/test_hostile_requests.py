"""What a caller might smuggle into any operation: foreign ids, nonsense, fields that are not theirs, other methods.

Generated from the description, so a new operation is tested without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from testing.cast import Figures
from testing.matrix.operations import METHODS, Operation, operations
from testing.matrix.references import in_body, in_filters, replaced, succeeding, writable
from testing.matrix.row import Row
from testing.matrix.run import Told, ask, join
from testing.matrix.scene import NOWHERE, Scene
from testing.matrix.table import TABLE

pytestmark = pytest.mark.timeout(600)

MEMBERS = ("viewer", "manager", "org_admin")
NONSENSE: tuple[Any, ...] = (0, -1, 2**31, 2**63, 10**30, 1.5, True, "1", "x", "", [], {}, [1], None)
NOT_THEIRS = {
    "id": 1,
    "pk": 1,
    "is_superuser": True,
    "is_staff": True,
    "platform_admin": True,
    "developer": True,
    "organization": 1,
    "organization_id": 1,
    "role": "org_admin",
    "site": 1,
    "site_id": 1,
    "user": 1,
    "is_sandbox": True,
    "suspended": None,
    "secret_hash": "x",
    "adopted": True,
    "revoked": None,
}
FROM_EDGES = {"edge_session", "edge_points"}
"""Their messages are the contract's: a newer edge may say more than this server knows."""


def rows() -> list[tuple[Row, Operation]]:
    return list(join(TABLE, operations()))


def own(row: Row) -> str:
    return "own" if "own" in row.grid.answers else "-"


def same_but_for_the_id(first: Told, second: Told, *ids: object) -> bool:
    """Compares the answers; an id that was sent may be in them."""
    pattern = re.compile("|".join(rf"\b{re.escape(str(each))}\b" for each in ids).encode())
    return first.status == second.status and pattern.sub(b"#", first.content) == pattern.sub(b"#", second.content)


def test_a_foreign_id_in_a_body_is_refused_as_one_that_does_not_exist(scene: Scene, figures: Figures) -> None:
    asked, wrong = 0, []
    for row, operation in rows():
        for path, thing in in_body(operation):
            foreign = scene.targets["foreign"][thing]
            for name in MEMBERS:
                actor = scene.actors[name]
                body = scene.fill(row.body, own(row), actor)
                answers = [
                    ask(scene, row, operation, own(row), actor, body=replaced(body, path, each))
                    for each in (foreign, NOWHERE)
                ]
                asked += 1
                refused = answers[0].status in {400, 403, 404, 409}
                if not refused or not same_but_for_the_id(*answers, foreign, NOWHERE):
                    wrong.append(f"{operation.id}, {name}, {path}: foreign {answers[0]}, nonexistent {answers[1]}")
    figures(foreign_ids_in_bodies=asked, told_apart=len(wrong))
    assert asked > 40
    assert not wrong, "\n".join(wrong)


def test_a_foreign_id_in_a_filter_is_answered_as_one_that_does_not_exist(scene: Scene, figures: Figures) -> None:
    asked, wrong = 0, []
    for row, operation in rows():
        for parameter, thing in in_filters(operation):
            foreign = scene.targets["foreign"][thing]
            for name in MEMBERS:
                actor = scene.actors[name]
                query = scene.fill(row.query, own(row), actor)
                answers = [
                    ask(scene, row, operation, own(row), actor, query={**query, parameter: str(each)})
                    for each in (foreign, NOWHERE)
                ]
                asked += 1
                if not same_but_for_the_id(*answers, foreign, NOWHERE):
                    wrong.append(f"{operation.id}, {name}, {parameter}: {answers[0]}, nonexistent {answers[1]}")
    figures(foreign_ids_in_filters=asked, told_apart=len(wrong))
    assert asked > 30
    assert not wrong, "\n".join(wrong)


def test_nonsense_for_an_id_is_no_fault_of_the_server(scene: Scene, figures: Figures) -> None:
    asked, wrong = 0, []
    actor = scene.actors["platform"]
    for row, operation in rows():
        body, query = (scene.fill(each, own(row), actor) for each in (row.body, row.query))
        calls: list[tuple[str, dict[str, Any]]] = [
            (f"{path}={junk!r}", {"body": replaced(body, path, junk)})
            for path, _ in in_body(operation)
            for junk in NONSENSE
        ]
        calls += [
            (f"?{parameter}={junk}", {"query": {**query, parameter: str(junk)}})
            for parameter, _ in in_filters(operation)
            for junk in NONSENSE
        ]
        for what, changed in calls:
            answer = ask(scene, row, operation, own(row), actor, **changed)
            asked += 1
            if answer.status not in operation.statuses:
                wrong.append(f"{operation.id}, {what}: {answer}")
    figures(nonsense_ids=asked, undescribed_answers=len(wrong))
    assert not wrong, "\n".join(wrong)


def test_a_field_that_the_caller_may_not_set_is_refused_by_its_name(scene: Scene, figures: Figures) -> None:
    asked, wrong = 0, []
    for row, operation in rows():
        name = succeeding(row)
        if operation.body is None or operation.id in FROM_EDGES or name is None:
            continue
        actor = scene.actors[name]
        for field, value in NOT_THEIRS.items():
            if field in writable(operation):
                continue
            body = {**scene.fill(row.body or {}, own(row), actor), field: value}
            answer = ask(scene, row, operation, own(row), actor, body=body)
            asked += 1
            if answer.status != 400 or f'"field":"{field}"'.encode() not in answer.content:
                wrong.append(f"{operation.id}, {name}, {field}: {answer}")
    figures(smuggled_fields=asked, not_refused_by_name=len(wrong))
    assert not wrong, "\n".join(wrong)


def undescribed() -> Iterator[tuple[Row, Operation, str]]:
    described = rows()
    methods: dict[str, set[str]] = {}
    for _, operation in described:
        methods.setdefault(operation.path, set()).add(operation.method)
    seen = set()
    for row, operation in described:
        if operation.path not in seen:
            seen.add(operation.path)
            for method in sorted(set(METHODS) - methods[operation.path]):
                yield row, operation, method


def test_a_method_that_is_not_described_does_nothing_for_anyone(scene: Scene, figures: Figures) -> None:
    asked, wrong = 0, []
    for row, operation, method in undescribed():
        for name in ("anonymous", "viewer", "org_admin", "platform", "token"):
            answer = ask(scene, row, operation, own(row), scene.actors[name], method=method, body={"name": "x"})
            asked += 1
            if answer.status not in {401, 403, 404, 405}:
                wrong.append(f"{method.upper()} {operation.path}, {name}: {answer}")
    figures(undescribed_methods=asked, that_did_something=len(wrong))
    assert not wrong, "\n".join(wrong)
