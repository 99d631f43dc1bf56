"""POST /api/invitations: nobody invites above themselves."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Membership, Organization
from invitations.models import Invitation
from invitations.tests.conftest import URL, invite
from invitations.views import InvitationsByInviter
from testing.cast import Cast, ClientOf


def at(site: int, role: str = "viewer") -> list[dict[str, Any]]:
    return [{"site": site, "role": role}]


def test_an_org_admin_invites_anyone_as_anything(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    assert invite(client, cast.alpha.pk, "a@example.com", role="org_admin").status_code == 201
    assert invite(client, cast.alpha.pk, "b@example.com").status_code == 201
    sites = [*at(cast.own.pk, "site_manager"), *at(cast.other.pk)]
    answer = invite(client, cast.alpha.pk, " New@Example.COM ", sites=sites)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["email"], body["role"], body["state"], body["delivery"]) == (
        "new@example.com",
        "member",
        "pending",
        "waiting",
    )
    assert body["sites"] == [
        {"site": cast.own.pk, "name": "Own", "role": "site_manager"},
        {"site": cast.other.pk, "name": "Other", "role": "viewer"},
    ]
    assert body["invited_by"] == {"id": cast.alice.pk, "name": "Alice"}


def test_a_platform_admin_invites_the_first_org_admin(cast: Cast, client_of: ClientOf) -> None:
    gamma = Organization.objects.create(name="Gamma")
    assert invite(client_of(cast.root), gamma.pk, role="org_admin").status_code == 201


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_a_site_manager_invites_to_the_own_site_below_the_own_role(cast: Cast, client_of: ClientOf, role: str) -> None:
    assert invite(client_of(cast.max), cast.alpha.pk, sites=at(cast.own.pk, role)).status_code == 201


def test_a_site_manager_grants_no_more(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.max)
    refused = [
        invite(client, cast.alpha.pk, sites=at(cast.own.pk, "site_manager")),
        invite(client, cast.alpha.pk, role="org_admin"),
        invite(client, cast.alpha.pk, role="org_admin", sites=at(cast.own.pk)),
        invite(client, cast.alpha.pk),
        invite(client, cast.alpha.pk, sites=[]),
    ]
    assert [answer.status_code for answer in refused] == [403] * 5
    other = invite(client, cast.alpha.pk, sites=[*at(cast.own.pk), *at(cast.other.pk)])
    assert (other.status_code, other.json()["errors"][0]["field"]) == (400, "sites.1.site")
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("name", ["bob", "olga"])
def test_viewers_and_operators_invite_nobody(cast: Cast, client_of: ClientOf, name: str) -> None:
    client = client_of(cast.everyone()[name])
    assert invite(client, cast.alpha.pk, sites=at(cast.own.pk)).status_code == 403
    assert invite(client, cast.alpha.pk).status_code == 403


@pytest.mark.parametrize("name", ["alice", "max", "dev"])
def test_a_foreign_organization_is_refused_as_one_that_does_not_exist(
    cast: Cast, client_of: ClientOf, name: str
) -> None:
    client = client_of(cast.everyone()[name])
    answers = [invite(client, pk) for pk in (cast.beta.pk, 999_999, 2**63)]
    assert {answer.status_code for answer in answers} == {400}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["errors"][0]["field"] == "organization"


def test_a_foreign_site_is_refused_as_one_that_does_not_exist_and_nothing_is_kept(
    cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.alice)
    answers = [invite(client, cast.alpha.pk, sites=[*at(cast.own.pk), *at(pk)]) for pk in (cast.foreign.pk, 999_999)]
    assert {answer.status_code for answer in answers} == {400}
    assert len({answer.content for answer in answers}) == 1
    assert not Invitation.objects.exists()


def test_a_site_of_another_of_the_own_organizations_does_not_fit(cast: Cast, client_of: ClientOf) -> None:
    answer = invite(client_of(cast.root), cast.alpha.pk, sites=at(cast.foreign.pk))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "sites.0.site")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": ""}, "email"),
        ({"email": "a@example.com\r\nBcc: b@example.com"}, "email"),
        ({"email": "a@example.com,b@example.com"}, "email"),
        ({"email": "Ada <ada@example.com>"}, "email"),
        ({"role": "platform_admin"}, "role"),
        ({"sites": "all"}, "sites"),
        ({"sites": [{"site": 1, "role": "org_admin"}]}, "sites.0"),
        ({"sites": [{"role": "viewer"}]}, "sites.0.site"),
        ({"invited_by": 1}, "invited_by"),
        ({"expires": "2099-01-01T00:00:00Z"}, "expires"),
        ({"token": "x"}, "token"),
    ],
)
def test_what_is_not_acceptable_is_refused_by_name(
    cast: Cast, client_of: ClientOf, more: dict[str, Any], field: str
) -> None:
    answer = client_of(cast.alice).post(
        URL, {"organization": cast.alpha.pk, "email": "new@example.com", **more}, format="json"
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(field)


def test_sites_that_make_no_sense_are_refused(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    twice = invite(client, cast.alpha.pk, sites=[*at(cast.own.pk), *at(cast.own.pk, "operator")])
    needless = invite(client, cast.alpha.pk, role="org_admin", sites=at(cast.own.pk))
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (400, "sites.1.site")
    assert (needless.status_code, needless.json()["errors"][0]["field"]) == (400, "sites")


def test_an_address_is_invited_once_at_a_time(cast: Cast, client_of: ClientOf) -> None:
    assert invite(client_of(cast.alice), cast.alpha.pk).status_code == 201
    again = invite(client_of(cast.max), cast.alpha.pk, "NEW@example.com", sites=at(cast.own.pk))
    assert (again.status_code, again.json()["type"]) == (409, "urn:ems:problem:already_invited")
    assert invite(client_of(cast.charlie), cast.beta.pk).status_code == 201


def test_one_that_has_expired_makes_room(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    first = invite(client, cast.alpha.pk).json()["id"]
    Invitation.objects.update(expires=cast.alpha.created)
    assert client.get(f"{URL}/{first}").json()["state"] == "expired"
    assert invite(client, cast.alpha.pk).status_code == 201
    assert not Invitation.objects.filter(pk=first).exists()


def test_a_member_is_not_invited_and_a_stranger_with_an_account_is_as_anyone(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    member = invite(client, cast.alpha.pk, "bob@example.com")
    assert (member.status_code, member.json()["type"]) == (409, "urn:ems:problem:already_member")
    known, unknown = (invite(client, cast.alpha.pk, email) for email in ("charlie@example.com", "nobody@example.com"))
    assert known.status_code == unknown.status_code == 201
    assert set(known.json()) == set(unknown.json())
    changing = ("id", "email", "created", "expires")
    assert [known.json()[name] for name in known.json() if name not in changing] == [
        unknown.json()[name] for name in unknown.json() if name not in changing
    ]


def test_an_inviter_has_a_limit(cast: Cast, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InvitationsByInviter, "rate", "2/hour")
    client = client_of(cast.alice)
    answers = [invite(client, cast.alpha.pk, f"p{index}@example.com") for index in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert client.post(f"{URL}/{answers[0].json()['id']}/resend").status_code == 429
    assert client.get(URL).status_code == 200
    assert invite(client_of(cast.charlie), cast.beta.pk).status_code == 201


def test_no_table_or_answer_carries_a_token(cast: Cast, client_of: ClientOf) -> None:
    answer = invite(client_of(cast.alice), cast.alpha.pk)
    assert "token" not in answer.content.decode()
    assert Invitation.objects.get().token_hash is None, "the link is made when it is sent"
    assert Membership.objects.filter(user__email="new@example.com").count() == 0
