"""Schemathesis in this process: whatever is sent, the API answers as its description says. Each call is rolled back."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from schemathesis import Case, Response

from testing.cast import Figures
from testing.fuzz import Send, fuzz
from testing.matrix.run import forget
from testing.matrix.scene import Scene

EXAMPLES = int(os.environ.get("EMS_FUZZ_EXAMPLES", "2"))
"""Valid calls of each operation and actor, with half as many invalid ones."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return found


def sender(bearer: str) -> Send:
    application = get_wsgi_application()

    def send(case: Case[Any]) -> Response:
        with transaction.atomic():
            response = case.call(app=application, headers={"Authorization": f"Bearer {bearer}"})
            transaction.set_rollback(True)
        if case.method != "GET":
            forget()
        return response

    return send


@pytest.mark.usefixtures("held_connection")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("actor", ["viewer", "org_admin", "platform"])
def test_nothing_that_is_sent_is_answered_otherwise_than_described(
    scene: Scene, figures: Figures, document: dict[str, Any], actor: str
) -> None:
    kinds = {kind for target in scene.targets.values() for kind in target}
    ids = {kind: [ids[kind] for ids in scene.targets.values() if kind in ids] for kind in kinds}
    report = fuzz(document, sender(scene.actors[actor].bearer), examples=EXAMPLES, ids=ids)
    figures(
        calls=report.calls,
        server_errors=report.count("ServerError"),
        undocumented_statuses=report.count("UndefinedStatusCode"),
        other_failures=len(report.failures) - report.count("ServerError") - report.count("UndefinedStatusCode"),
    )
    if report.failures:
        pytest.fail("\n\n".join(f"{told}\n{again}" for told, again in sorted(report.failures.items())), pytrace=False)
