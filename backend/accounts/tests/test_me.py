"""GET /api/auth/me"""

from __future__ import annotations

import pytest
from django.utils import timezone

from testing.cast import Cast, ClientOf

URL = "/api/auth/me"


def test_it_says_who_i_am(cast: Cast, client_of: ClientOf) -> None:
    body = client_of(cast.dev).get(URL).json()
    assert body["email"] == "dev@example.com"
    assert body["developer"] is True
    assert body["organizations"] == []


def test_a_stranger_is_refused(cast: Cast, client_of: ClientOf) -> None:
    assert client_of().get(URL).status_code == 401


def test_people_change_their_own_name(cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.bob).patch(URL, {"name": "Robert"}, format="json")
    assert (answer.status_code, answer.json()["name"]) == (200, "Robert")


@pytest.mark.parametrize(
    "body",
    [
        {"platform_admin": True},
        {"is_superuser": True},
        {"email": "root@example.com"},
        {"name": "Bob", "is_active": False},
        {"organizations": []},
        {"name": ""},
        {"name": "Bob\nBcc: x"},
        {"name": "\u202eboB"},
    ],
)
def test_nothing_else_can_be_changed_and_the_field_is_named(
    cast: Cast, client_of: ClientOf, body: dict[str, object]
) -> None:
    answer = client_of(cast.bob).patch(URL, body, format="json")
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {list(body)[-1]}
    cast.bob.refresh_from_db()
    assert (cast.bob.name, cast.bob.is_superuser) == ("Bob", False)


def test_a_suspended_organization_is_not_listed(cast: Cast, client_of: ClientOf) -> None:
    cast.alpha.suspended = timezone.now()
    cast.alpha.save()
    assert client_of(cast.bob).get(URL).json()["organizations"] == []
