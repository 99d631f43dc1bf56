"""/api/site-access: roles on sites are given, changed and taken."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Membership, User
from sites.models import SiteAccess
from sites.tests.asking import code, fields, send
from testing.cast import Cast, ClientOf

URL = "/api/site-access"


@pytest.fixture
def nina(cast: Cast) -> User:
    """A member of Alpha without a role anywhere."""
    user = User.objects.create_user("nina@example.com", name="Nina")
    Membership.objects.create(user=user, organization=cast.alpha)
    return user


def give(client_of: ClientOf, who: User, **body: object) -> Any:
    return send(client_of(who), "POST", URL, body)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_a_site_manager_adds_viewers_and_operators_by_address(
    cast: Cast, client_of: ClientOf, nina: User, role: str
) -> None:
    answer = give(client_of, cast.max, site=cast.own.pk, email=" Nina@Example.com ", role=role)
    assert answer.status_code == 201
    row = nina.site_accesses.get()
    assert answer.json() == {
        "id": row.pk,
        "site": cast.own.pk,
        "user": {"id": nina.pk, "email": "nina@example.com", "name": "Nina", "service": False},
        "role": role,
    }
    assert (row.role, row.organization) == (role, cast.alpha)


@pytest.mark.parametrize("name", ["alice", "root"])
def test_an_org_admin_gives_any_role_by_id(cast: Cast, client_of: ClientOf, nina: User, name: str) -> None:
    answer = give(client_of, cast.everyone()[name], site=cast.other.pk, user=nina.pk, role="site_manager")
    assert answer.status_code == 201


def test_nobody_grants_what_is_not_weaker_than_their_own(cast: Cast, client_of: ClientOf, nina: User) -> None:
    answer = give(client_of, cast.max, site=cast.own.pk, email=nina.email, role="site_manager")
    assert code(answer) == (403, "permission_denied")
    assert "viewer, operator" in answer.json()["detail"]
    for role in ("org_admin", "platform_admin", "root", "", None):
        answer = give(client_of, cast.max, site=cast.own.pk, email=nina.email, role=role)
        assert fields(answer) == ["role"]
    assert not nina.site_accesses.exists()


def test_an_address_of_nobody_and_one_of_a_stranger_are_refused_in_the_same_words(
    cast: Cast, client_of: ClientOf
) -> None:
    answers = [
        give(client_of, cast.max, site=cast.own.pk, email=email, role="viewer")
        for email in ("nobody@example.com", cast.charlie.email, cast.root.email)
    ]
    assert all(fields(answer) == ["email"] for answer in answers)
    assert len({answer.content for answer in answers}) == 1
    assert "Invite" in answers[0].json()["errors"][0]["message"]


def test_an_id_finds_only_whom_the_caller_sees_anyway(cast: Cast, client_of: ClientOf, nina: User) -> None:
    """A site manager does not learn by counting who is a member of the organization."""
    answers = [
        give(client_of, cast.max, site=cast.own.pk, user=number, role="viewer")
        for number in (nina.pk, cast.charlie.pk, 999_999, 2**63 - 1)
    ]
    assert all(fields(answer) == ["user"] for answer in answers)
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("person", [{}, {"user": 1, "email": "a@example.com"}])
def test_one_person_is_named_in_one_way(cast: Cast, client_of: ClientOf, person: dict[str, object]) -> None:
    assert fields(give(client_of, cast.alice, site=cast.own.pk, role="viewer", **person)) == ["email"]


def test_who_has_a_role_there_already_keeps_it(cast: Cast, client_of: ClientOf) -> None:
    answer = give(client_of, cast.max, site=cast.own.pk, email=cast.bob.email, role="operator")
    assert code(answer) == (409, "has_role")
    assert cast.bob.site_accesses.get().role == "viewer"


def test_a_role_is_changed_and_taken_below_the_own(cast: Cast, client_of: ClientOf) -> None:
    row, client = cast.bob.site_accesses.get(), client_of(cast.max)
    answer = send(client, "PATCH", f"{URL}/{row.pk}", {"role": "operator"})
    assert (answer.status_code, answer.json()["role"]) == (200, "operator")
    assert client.delete(f"{URL}/{row.pk}").status_code == 204
    assert not cast.bob.site_accesses.exists()
    assert client.get(f"{URL}/{row.pk}").status_code == 404


def test_nobody_raises_themselves_nor_takes_a_peers_role(cast: Cast, client_of: ClientOf, nina: User) -> None:
    peer = SiteAccess.objects.create(user=nina, site=cast.own, role="site_manager")
    own, client = cast.max.site_accesses.get(), client_of(cast.max)
    for row in (own, peer):
        assert code(send(client, "PATCH", f"{URL}/{row.pk}", {"role": "viewer"})) == (403, "permission_denied")
        assert code(client.delete(f"{URL}/{row.pk}")) == (403, "permission_denied")
    assert code(send(client, "PATCH", f"{URL}/{cast.bob.site_accesses.get().pk}", {"role": "site_manager"})) == (
        403,
        "permission_denied",
    )
    assert set(SiteAccess.objects.filter(role="site_manager")) == {own, peer}


@pytest.mark.parametrize("name", ["bob", "olga"])
def test_viewers_and_operators_neither_see_nor_change_roles(cast: Cast, client_of: ClientOf, name: str) -> None:
    client, row = client_of(cast.everyone()[name]), cast.bob.site_accesses.get()
    assert client.get(URL).json()["count"] == 0
    for method, url in (("GET", f"{URL}/{row.pk}"), ("PATCH", f"{URL}/{row.pk}"), ("DELETE", f"{URL}/{row.pk}")):
        assert code(send(client, method, url)) == (403, "permission_denied")
    answer = send(client, "POST", URL, {"site": cast.own.pk, "email": "nobody@example.com", "role": "nonsense"})
    assert code(answer) == (403, "permission_denied")


def test_the_list_holds_the_sites_whose_users_one_manages(cast: Cast, client_of: ClientOf, nina: User) -> None:
    SiteAccess.objects.create(user=nina, site=cast.other, role="viewer")
    SiteAccess.objects.create(user=cast.max, site=cast.other, role="viewer")
    assert {row["user"]["name"] for row in client_of(cast.max).get(URL).json()["results"]} == {"Bob", "Olga", "Max"}
    body = client_of(cast.alice).get(f"{URL}?site={cast.other.pk}&ordering=-name").json()
    assert [row["user"]["name"] for row in body["results"]] == ["Nina", "Max"]
    assert client_of(cast.alice).get(f"{URL}?role=viewer&search=NIN").json()["count"] == 1


def test_a_service_account_is_shown_only_where_it_is_asked_for(cast: Cast, client_of: ClientOf) -> None:
    service = User.objects.create_user("service-1@example.com", name="Export", is_service=True)
    Membership.objects.create(user=service, organization=cast.alpha)
    SiteAccess.objects.create(user=service, site=cast.own, role="viewer")
    client = client_of(cast.alice)
    assert "Export" not in client.get(URL).content.decode()
    assert [row["user"]["service"] for row in client.get(f"{URL}?service=true").json()["results"]] == [True]
    assert fields(give(client_of, cast.alice, site=cast.own.pk, email=service.email, role="viewer")) == ["email"]
