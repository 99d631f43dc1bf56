"""/api/memberships and /api/memberships/{id}"""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Membership, User
from sites.models import SiteAccess
from testing.cast import Cast, ClientOf

URL = "/api/memberships"


def of(user: User) -> Membership:
    return user.memberships.get()


def emails(body: dict[str, Any]) -> set[str]:
    return {row["user"]["email"].partition("@")[0] for row in body["results"]}


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("alice", {"alice", "bob", "olga", "max"}),
        ("bob", {"bob"}),
        ("charlie", {"charlie"}),
        ("root", {"alice", "bob", "olga", "max", "charlie"}),
        ("dev", set()),
    ],
)
def test_admins_see_their_people_and_others_themselves(
    cast: Cast, client_of: ClientOf, user: str, expected: set[str]
) -> None:
    assert emails(client_of(cast.everyone()[user]).get(URL).json()) == expected


def test_one_tells_who_where_and_as_what(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.alice).get(f"{URL}/{of(cast.bob).pk}").json() == {
        "id": of(cast.bob).pk,
        "user": {"id": cast.bob.pk, "email": "bob@example.com", "name": "Bob", "is_active": True},
        "organization": {"id": cast.alpha.pk, "name": "Alpha"},
        "role": "member",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("role=org_admin", {"alice"}),
        ("search=OLG", {"olga"}),
        ("user={bob}", {"bob"}),
        ("organization={alpha}&role=member", {"bob", "olga", "max"}),
    ],
)
def test_the_list_is_filtered(cast: Cast, client_of: ClientOf, query: str, expected: set[str]) -> None:
    filled = query.format(bob=cast.bob.pk, alpha=cast.alpha.pk)
    assert emails(client_of(cast.alice).get(f"{URL}?{filled}").json()) == expected


def test_a_foreign_id_in_a_filter_is_refused_as_one_that_does_not_exist(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    for name, foreign in (("organization", cast.beta.pk), ("user", cast.charlie.pk)):
        answers = [client.get(f"{URL}?{name}={pk}") for pk in (foreign, 999_999)]
        assert {answer.status_code for answer in answers} == {400}
        assert len({answer.content for answer in answers}) == 1


def test_service_accounts_are_shown_only_when_asked_for_and_cannot_be_changed(cast: Cast, client_of: ClientOf) -> None:
    service = User.objects.create_user("service@example.com", name="Service", is_service=True)
    membership = Membership.objects.create(user=service, organization=cast.alpha)
    client = client_of(cast.alice)
    assert "service" not in emails(client.get(URL).json())
    assert emails(client.get(f"{URL}?service=true").json()) == {"service"}
    assert client.patch(f"{URL}/{membership.pk}", {"role": "org_admin"}, format="json").status_code == 403
    assert client.delete(f"{URL}/{membership.pk}").status_code == 403


def test_an_org_admin_changes_a_role(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    answer = client.patch(f"{URL}/{of(cast.bob).pk}", {"role": "org_admin"}, format="json")
    assert (answer.status_code, answer.json()["role"]) == (200, "org_admin")
    assert client_of(cast.bob).get(f"/api/sites/{cast.other.pk}").status_code == 200


@pytest.mark.parametrize("name", ["bob", "olga", "max"])
def test_nobody_makes_themselves_org_admin(cast: Cast, client_of: ClientOf, name: str) -> None:
    user = cast.everyone()[name]
    answer = client_of(user).patch(f"{URL}/{of(user).pk}", {"role": "org_admin"}, format="json")
    assert answer.status_code == 403
    assert of(user).role == "member"


def test_a_member_sees_and_removes_no_other_member(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.max)
    for method in ("get", "patch", "delete"):
        assert getattr(client, method)(f"{URL}/{of(cast.bob).pk}").status_code == 404


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_a_foreign_one_and_none_at_all_answer_byte_for_byte_alike(cast: Cast, client_of: ClientOf, method: str) -> None:
    client = client_of(cast.alice)
    answers = [getattr(client, method)(f"{URL}/{pk}") for pk in (of(cast.charlie).pk, 999_999, 2**63)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("field", ["user", "organization", "id", "is_superuser", "user_id"])
def test_nothing_but_the_role_can_be_changed(cast: Cast, client_of: ClientOf, field: str) -> None:
    url = f"{URL}/{of(cast.bob).pk}"
    answer = client_of(cast.alice).patch(url, {field: cast.beta.pk, "role": "org_admin"}, format="json")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert of(cast.bob).role == "member"


@pytest.mark.parametrize("role", ["viewer", "platform_admin", "", None, 1, {}])
def test_a_role_that_is_none_of_an_organization_is_refused(cast: Cast, client_of: ClientOf, role: object) -> None:
    answer = client_of(cast.alice).patch(f"{URL}/{of(cast.bob).pk}", {"role": role}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "role")


def test_who_is_removed_loses_the_sites_of_the_organization(cast: Cast, client_of: ClientOf) -> None:
    bob = client_of(cast.bob)
    assert bob.get(f"/api/sites/{cast.own.pk}").status_code == 200
    assert client_of(cast.alice).delete(f"{URL}/{of(cast.bob).pk}").status_code == 204
    assert not SiteAccess.objects.filter(user=cast.bob).exists()
    assert bob.get(f"/api/sites/{cast.own.pk}").status_code == 404


def test_everyone_may_leave(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.bob).delete(f"{URL}/{of(cast.bob).pk}").status_code == 204
    assert not cast.bob.memberships.exists()


def test_a_platform_admin_adds_a_person(cast: Cast, client_of: ClientOf) -> None:
    body = {"user": cast.dev.pk, "organization": cast.beta.pk, "role": "org_admin"}
    answer = client_of(cast.root).post(URL, body, format="json")
    assert answer.status_code == 201
    assert (of(cast.dev).organization, of(cast.dev).role) == (cast.beta, "org_admin")


def test_a_person_is_not_added_twice(cast: Cast, client_of: ClientOf) -> None:
    body = {"user": cast.bob.pk, "organization": cast.alpha.pk}
    answer = client_of(cast.root).post(URL, body, format="json")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:ems:problem:already_member")


def test_a_disabled_account_is_not_added(cast: Cast, client_of: ClientOf) -> None:
    cast.dev.is_active = False
    cast.dev.save()
    answer = client_of(cast.root).post(URL, {"user": cast.dev.pk, "organization": cast.beta.pk}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "user")


def test_an_org_admin_invites_instead(cast: Cast, client_of: ClientOf) -> None:
    for user in (cast.dev.pk, 999_999):
        body = {"user": user, "organization": cast.alpha.pk}
        assert client_of(cast.alice).post(URL, body, format="json").status_code == 403
