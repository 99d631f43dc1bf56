"""/api/users and /api/users/{id}"""

from __future__ import annotations

from typing import Any

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Membership, User
from testing.cast import Cast, ClientOf

URL = "/api/users"


def names(body: dict[str, Any]) -> set[str]:
    return {row["name"].lower() for row in body["results"]}


@pytest.fixture
def shared(cast: Cast) -> User:
    """A member of Alpha and of Beta."""
    user = User.objects.create_user("sven@example.com", name="Sven")
    for organization in (cast.alpha, cast.beta):
        Membership.objects.create(user=user, organization=organization)
    return user


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("alice", {"alice", "bob", "olga", "max"}),
        ("bob", {"bob"}),
        ("max", {"max"}),
        ("charlie", {"charlie"}),
        ("root", {"alice", "bob", "olga", "max", "charlie", "root", "dev"}),
        ("dev", {"dev"}),
    ],
)
def test_admins_see_their_people_and_others_themselves(
    cast: Cast, client_of: ClientOf, user: str, expected: set[str]
) -> None:
    assert names(client_of(cast.everyone()[user]).get(URL).json()) == expected


def test_of_a_shared_person_each_admin_sees_the_own_organization_only(
    cast: Cast, client_of: ClientOf, shared: User
) -> None:
    alice, charlie, root = (
        client_of(user).get(f"{URL}/{shared.pk}").json() for user in (cast.alice, cast.charlie, cast.root)
    )
    assert [row["name"] for row in alice["organizations"]] == ["Alpha"]
    assert [row["name"] for row in charlie["organizations"]] == ["Beta"]
    assert [row["name"] for row in root["organizations"]] == ["Alpha", "Beta"]


def test_it_tells_who_has_a_second_factor(cast: Cast, client_of: ClientOf) -> None:
    TOTPDevice.objects.create(user=cast.bob, name="Authenticator", confirmed=True)
    TOTPDevice.objects.create(user=cast.olga, name="Authenticator", confirmed=False)
    rows = client_of(cast.alice).get(f"{URL}?ordering=email").json()["results"]
    assert {row["name"]: row["two_factor"] for row in rows} == {
        "Alice": False,
        "Bob": True,
        "Max": False,
        "Olga": False,
    }


def test_no_answer_carries_a_password(cast: Cast, client_of: ClientOf) -> None:
    text = client_of(cast.root).get(URL).content.decode()
    assert "password" not in text
    assert "md5$" not in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=ALI", {"alice"}),
        ("search=charlie@example.com", {"charlie"}),
        ("platform_admin=true", {"root"}),
        ("developer=true", {"dev"}),
        ("is_active=false", set()),
        ("organization={beta}", {"charlie"}),
        ("erased=true", set()),
        ("service=true", set()),
    ],
)
def test_the_list_is_filtered(cast: Cast, client_of: ClientOf, query: str, expected: set[str]) -> None:
    assert names(client_of(cast.root).get(f"{URL}?{query.format(beta=cast.beta.pk)}").json()) == expected


def test_a_filter_does_not_tell_where_else_a_person_belongs(cast: Cast, client_of: ClientOf, shared: User) -> None:
    Membership.objects.create(user=cast.alice, organization=cast.beta)  # a mere member there
    client = client_of(cast.alice)
    assert names(client.get(f"{URL}?organization={cast.beta.pk}").json()) == {"alice"}
    assert names(client.get(f"{URL}?organization={cast.alpha.pk}").json()) >= {"sven", "alice"}


def test_the_list_is_ordered_by_what_is_offered(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    rows = client.get(f"{URL}?ordering=-email").json()["results"]
    assert [row["name"] for row in rows] == ["Olga", "Max", "Bob", "Alice"]
    assert client.get(f"{URL}?ordering=password").status_code == 400


def test_an_org_admin_renames_and_disables_a_person_of_the_own_organization(cast: Cast, client_of: ClientOf) -> None:
    bob = client_of(cast.bob)
    answer = client_of(cast.alice).patch(f"{URL}/{cast.bob.pk}", {"name": "Robert", "is_active": False}, format="json")
    assert (answer.status_code, answer.json()["name"], answer.json()["is_active"]) == (200, "Robert", False)
    assert bob.get("/api/auth/me").status_code == 401


def test_an_account_that_another_organization_shares_is_not_changed(
    cast: Cast, client_of: ClientOf, shared: User
) -> None:
    for admin in (cast.alice, cast.charlie):
        for body in ({"name": "X"}, {"is_active": False}, {}):
            assert client_of(admin).patch(f"{URL}/{shared.pk}", body, format="json").status_code == 403


def test_an_account_shared_with_a_suspended_organization_is_not_changed_either(
    cast: Cast, client_of: ClientOf, shared: User
) -> None:
    Membership.objects.create(user=cast.alice, organization=cast.beta, role="org_admin")
    client_of(cast.root).post(f"/api/organizations/{cast.beta.pk}/suspend")
    assert client_of(cast.alice).patch(f"{URL}/{shared.pk}", {"name": "X"}, format="json").status_code == 403


def test_a_platform_admin_among_the_members_is_not_changed_by_their_org_admin(cast: Cast, client_of: ClientOf) -> None:
    Membership.objects.create(user=cast.root, organization=cast.alpha)
    assert client_of(cast.alice).patch(f"{URL}/{cast.root.pk}", {"is_active": False}, format="json").status_code == 403


@pytest.mark.parametrize("field", ["platform_admin", "developer", "is_superuser", "email", "password", "organizations"])
def test_an_org_admin_cannot_set_it(cast: Cast, client_of: ClientOf, field: str) -> None:
    answer = client_of(cast.alice).patch(f"{URL}/{cast.bob.pk}", {field: True}, format="json")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    cast.bob.refresh_from_db()
    assert (cast.bob.is_superuser, cast.bob.is_developer) == (False, False)


@pytest.mark.parametrize("name", ["bob", "max", "dev"])
def test_others_change_nobody(cast: Cast, client_of: ClientOf, name: str) -> None:
    user = cast.everyone()[name]
    client = client_of(user)
    assert client.patch(f"{URL}/{user.pk}", {"platform_admin": True}, format="json").status_code == 403
    assert client.patch(f"{URL}/{cast.olga.pk}", {"name": "X"}, format="json").status_code == 404


@pytest.mark.parametrize("method", ["get", "patch"])
def test_a_stranger_and_nobody_answer_byte_for_byte_alike(cast: Cast, client_of: ClientOf, method: str) -> None:
    client = client_of(cast.alice)
    answers = [getattr(client, method)(f"{URL}/{pk}") for pk in (cast.charlie.pk, cast.root.pk, 999_999, 2**63)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_a_platform_admin_gives_platform_roles(cast: Cast, client_of: ClientOf) -> None:
    body = {"platform_admin": True, "developer": True, "name": "Alice A."}
    answer = client_of(cast.root).patch(f"{URL}/{cast.alice.pk}", body, format="json").json()
    assert (answer["platform_admin"], answer["developer"], answer["name"]) == (True, True, "Alice A.")
    assert client_of(cast.alice).get(f"/api/sites/{cast.foreign.pk}").status_code == 200


@pytest.mark.parametrize("body", [{"platform_admin": False}, {"is_active": False}, {"is_active": True}])
def test_nobody_changes_that_of_their_own_account(cast: Cast, client_of: ClientOf, body: dict[str, bool]) -> None:
    cast.dev.is_superuser = True
    cast.dev.save()
    assert client_of(cast.root).patch(f"{URL}/{cast.root.pk}", body, format="json").status_code == 403


def test_a_service_account_is_changed_through_its_token_only(cast: Cast, client_of: ClientOf) -> None:
    service = User.objects.create_user("service@example.com", name="Service", is_service=True)
    Membership.objects.create(user=service, organization=cast.alpha)
    client = client_of(cast.root)
    assert "service" not in names(client.get(URL).json())
    assert names(client.get(f"{URL}?service=true").json()) == {"service"}
    assert client.patch(f"{URL}/{service.pk}", {"platform_admin": True}, format="json").status_code == 403
