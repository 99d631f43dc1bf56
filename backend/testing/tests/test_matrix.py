"""Every operation x every actor x every target, asked. Foreign and nonexistent answer byte for byte alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import SignedIn
from config.urls import urlpatterns
from testing.cast import Figures
from testing.matrix.grids import PUBLIC
from testing.matrix.operations import operations
from testing.matrix.row import Row
from testing.matrix.run import join, play
from testing.matrix.scene import Scene
from testing.matrix.table import TABLE


@pytest.mark.timeout(600)  # thousands of requests
def test_every_cell_of_the_table_is_answered_as_the_table_says(scene: Scene, figures: Figures) -> None:
    rows = list(join(TABLE, operations()))
    outcomes = [play(scene, row, operation) for row, operation in rows]
    mismatches = [one for outcome in outcomes for one in outcome.mismatches]
    cells = sum(outcome.cells for outcome in outcomes)
    figures(operations=len(rows), cells=cells, mismatches=len(mismatches))
    if mismatches:
        pytest.fail("\n" + "\n".join(map(str, mismatches)), pytrace=False)


def test_an_operation_without_a_row_fails_by_its_name() -> None:
    class Forgotten(APIView):
        """A new endpoint whose author forgot the table."""

        permission_classes = (SignedIn,)

        def get(self, request: Request) -> Response:
            raise NotImplementedError

    more: list[Any] = [*urlpatterns, path("api/forgotten", Forgotten.as_view())]
    with pytest.raises(LookupError, match=r"^forgotten_list \(GET /api/forgotten\) has no row"):
        list(join(TABLE, operations(more)))


def test_a_row_without_an_operation_fails_by_its_name() -> None:
    with pytest.raises(LookupError, match=r"^once_there is in the table and no operation any more"):
        list(join([*TABLE, Row("once_there", PUBLIC)], operations()))


GATED = {"/api/schema", "/api/docs", "/api/docs/{name}"}
"""The description itself and its page; `config/tests` says who gets them."""


def test_no_address_hides_from_the_description_and_so_from_the_table() -> None:
    addresses = {path for path in addresses_of(get_resolver().url_patterns) if path.startswith("/api/")}
    described = {parameters.sub("{}", operation.path) for operation in operations()}
    assert addresses - described == {parameters.sub("{}", path) for path in GATED}


parameters = re.compile(r"<[^>]+>|\{[^}]+\}")


def addresses_of(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    for entry in patterns:
        path = prefix + parameters.sub("{}", str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from addresses_of(entry.url_patterns, path)
        else:
            yield path
