"""GET and POST /api/organizations, GET and PATCH /api/organizations/{id}"""

from __future__ import annotations

import pytest

from accounts.models import Membership, Organization, User
from testing.cast import Cast, ClientOf

URL = "/api/organizations"


@pytest.mark.parametrize(
    ("user", "expected"),
    [("alice", ["Alpha"]), ("bob", ["Alpha"]), ("charlie", ["Beta"]), ("root", ["Alpha", "Beta"]), ("dev", [])],
)
def test_each_sees_the_own_ones(cast: Cast, client_of: ClientOf, user: str, expected: list[str]) -> None:
    body = client_of(cast.everyone()[user]).get(URL).json()
    assert [row["name"] for row in body["results"]] == expected
    assert body["count"] == len(expected)


def test_it_tells_the_own_role_and_to_admins_the_counts(cast: Cast, client_of: ClientOf) -> None:
    service = User.objects.create_user("service@example.com", name="Service", is_service=True)
    Membership.objects.create(user=service, organization=cast.alpha)
    alice, bob, root = (
        client_of(user).get(f"{URL}/{cast.alpha.pk}").json() for user in (cast.alice, cast.bob, cast.root)
    )
    assert (alice["role"], alice["sites"], alice["members"]) == ("org_admin", 2, 4)
    assert (bob["role"], bob["sites"], bob["members"]) == ("member", None, None)
    assert (root["role"], root["sites"], root["members"]) == (None, 2, 4)
    assert (alice["sandbox"], alice["suspended"], alice["delete_after"]) == (False, None, None)


def test_a_platform_admin_makes_one(cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.root).post(URL, {"name": " Gamma "}, format="json")
    assert answer.status_code == 201
    assert (answer.json()["name"], answer.json()["members"]) == ("Gamma", 0)
    assert Organization.objects.filter(name="Gamma").count() == 1


@pytest.mark.parametrize("name", ["alice", "bob", "dev"])
def test_nobody_else_makes_one(cast: Cast, client_of: ClientOf, name: str) -> None:
    assert client_of(cast.everyone()[name]).post(URL, {"name": "Gamma"}, format="json").status_code == 403
    assert not Organization.objects.filter(name="Gamma").exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "two\nlines", "\u202eright to left", None, ["x"]])
def test_a_name_that_is_none_is_refused_by_name(cast: Cast, client_of: ClientOf, name: object) -> None:
    answer = client_of(cast.root).post(URL, {"name": name}, format="json")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]


def test_an_org_admin_renames_it(cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.alice).patch(f"{URL}/{cast.alpha.pk}", {"name": "Alpha Energy"}, format="json")
    assert answer.status_code == 200
    assert answer.json()["name"] == "Alpha Energy"


def test_a_name_that_is_taken_is_refused_and_the_own_one_is_not(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    taken = client.patch(f"{URL}/{cast.alpha.pk}", {"name": "Beta"}, format="json")
    assert taken.status_code == 400
    assert taken.json()["errors"][0]["field"] == "name"
    assert client.patch(f"{URL}/{cast.alpha.pk}", {"name": "Alpha"}, format="json").status_code == 200


@pytest.mark.parametrize("name", ["bob", "olga", "max"])
def test_a_member_does_not_rename_it(cast: Cast, client_of: ClientOf, name: str) -> None:
    client = client_of(cast.everyone()[name])
    assert client.patch(f"{URL}/{cast.alpha.pk}", {"name": "Mine"}, format="json").status_code == 403


@pytest.mark.parametrize("method", ["get", "patch"])
def test_a_foreign_one_and_none_at_all_answer_byte_for_byte_alike(cast: Cast, client_of: ClientOf, method: str) -> None:
    client = client_of(cast.alice)
    answers = [getattr(client, method)(f"{URL}/{pk}", {}, format="json") for pk in (cast.beta.pk, 999_999, 2**63)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    "field", ["id", "sandbox", "suspended", "delete_after", "created", "is_sandbox", "role", "members", "owner"]
)
def test_what_cannot_be_set_is_refused_by_name(cast: Cast, client_of: ClientOf, field: str) -> None:
    for client in (client_of(cast.alice), client_of(cast.root)):
        answer = client.patch(f"{URL}/{cast.alpha.pk}", {field: True}, format="json")
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=alp", ["Alpha"]),
        ("suspended=true", ["Beta"]),
        ("suspended=false", ["Alpha"]),
        ("sandbox=true", []),
        ("deleting=true", []),
        ("ordering=-name", ["Beta", "Alpha"]),
        ("ordering=created", ["Alpha", "Beta"]),
        ("page_size=1&page=2", ["Beta"]),
    ],
)
def test_the_list_is_filtered_ordered_and_paged(
    cast: Cast, client_of: ClientOf, query: str, expected: list[str]
) -> None:
    client = client_of(cast.root)
    client.post(f"{URL}/{cast.beta.pk}/suspend")
    assert [row["name"] for row in client.get(f"{URL}?{query}").json()["results"]] == expected


@pytest.mark.parametrize("query", ["ordering=memberships__user__email", "members=1", "ordering=suspended"])
def test_a_filter_or_an_order_that_is_not_offered_is_refused(cast: Cast, client_of: ClientOf, query: str) -> None:
    assert client_of(cast.alice).get(f"{URL}?{query}").status_code == 400
