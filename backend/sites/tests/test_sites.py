"""GET /api/sites and GET /api/sites/{id}"""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from testing.cast import Cast, ClientOf, site

LIST = "/api/sites"


def names(cast: Cast, client_of: ClientOf, user: str) -> list[str]:
    return [row["name"] for row in client_of(cast.everyone()[user]).get(LIST).json()["results"]]


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("alice", ["Other", "Own"]),
        ("bob", ["Own"]),
        ("olga", ["Own"]),
        ("max", ["Own"]),
        ("charlie", ["Foreign"]),
        ("root", ["Foreign", "Other", "Own"]),
        ("dev", []),
    ],
)
def test_each_sees_their_own(cast: Cast, client_of: ClientOf, user: str, expected: list[str]) -> None:
    assert names(cast, client_of, user) == expected


def test_a_site_says_what_the_caller_may_do_there(cast: Cast, client_of: ClientOf) -> None:
    body = client_of(cast.bob).get(f"{LIST}/{cast.own.pk}").json()
    assert body == {
        "id": cast.own.pk,
        "site": f"site_{cast.own.pk}",
        "name": "Own",
        "slug": "own",
        "timezone": "Europe/Berlin",
        "latitude": 52.5,
        "longitude": 13.4,
        "address": "",
        "operators_may_control": False,
        "organization": {"id": cast.alpha.pk, "name": "Alpha"},
        "role": "viewer",
        "actions": ["view"],
        "grantable": [],
        "created": cast.own.created.isoformat().replace("+00:00", "Z"),
    }


def test_operators_control_only_where_the_site_allows_it(cast: Cast, client_of: ClientOf) -> None:
    for allowed in (False, True):
        cast.own.operators_may_control = allowed
        cast.own.save()
        actions = client_of(cast.olga).get(f"{LIST}/{cast.own.pk}").json()["actions"]
        assert ("control_devices" in actions) is allowed


def test_a_user_of_two_organizations_sees_both(cast: Cast, client_of: ClientOf) -> None:
    cast.beta.memberships.create(user=cast.alice, role="org_admin")
    assert names(cast, client_of, "alice") == ["Foreign", "Other", "Own"]


def test_a_list_comes_in_pages_with_relative_links(cast: Cast, client_of: ClientOf) -> None:
    for number in range(3):
        site(cast.alpha, f"site-{number}")
    first = client_of(cast.alice).get(f"{LIST}?page_size=2").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (5, 2, None)
    assert first["next"] == "/api/sites?page=2&page_size=2"


def test_a_list_takes_the_same_number_of_queries_however_long_it_is(
    cast: Cast, client_of: ClientOf, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        site(cast.alpha, f"site-{number}")
    client = client_of(cast.alice)
    with django_assert_max_num_queries(5):
        assert client.get(LIST).json()["count"] == 12


def test_a_name_full_of_markup_is_sent_as_it_is(cast: Cast, client_of: ClientOf) -> None:
    cast.own.name = "<script>alert(1)</script>"
    cast.own.save()
    answer = client_of(cast.bob).get(f"{LIST}/{cast.own.pk}")
    assert answer.json()["name"] == cast.own.name
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
