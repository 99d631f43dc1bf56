"""GET /api/organizations"""

from __future__ import annotations

import pytest

from testing.cast import Cast, ClientOf


@pytest.mark.parametrize(
    ("user", "expected"),
    [("alice", ["Alpha"]), ("bob", ["Alpha"]), ("charlie", ["Beta"]), ("root", ["Alpha", "Beta"]), ("dev", [])],
)
def test_each_sees_the_own_ones(cast: Cast, client_of: ClientOf, user: str, expected: list[str]) -> None:
    body = client_of(cast.everyone()[user]).get("/api/organizations").json()
    assert [row["name"] for row in body["results"]] == expected
    assert body["count"] == len(expected)
