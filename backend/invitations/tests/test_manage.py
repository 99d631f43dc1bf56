"""GET /api/invitations, GET and DELETE /api/invitations/{id}, POST .../resend"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from invitations.actions import invitations
from invitations.models import Invitation
from invitations.tests.conftest import URL, Deliver, invite
from sites.models import SiteAccess
from testing.cast import Cast, ClientOf

LOOK = "/api/auth/invitation"


@pytest.fixture
def by_alice(cast: Cast, client_of: ClientOf) -> int:
    return int(invite(client_of(cast.alice), cast.alpha.pk, "first@example.com").json()["id"])


@pytest.fixture
def by_max(cast: Cast, client_of: ClientOf) -> int:
    sites = [{"site": cast.own.pk, "role": "viewer"}]
    return int(invite(client_of(cast.max), cast.alpha.pk, "second@example.com", sites=sites).json()["id"])


@pytest.mark.parametrize(
    ("user", "expected"), [("alice", 2), ("max", 1), ("bob", 0), ("charlie", 0), ("root", 2), ("dev", 0)]
)
def test_org_admins_see_all_of_theirs_and_site_managers_their_own(
    cast: Cast, client_of: ClientOf, by_alice: int, by_max: int, user: str, expected: int
) -> None:
    assert client_of(cast.everyone()[user]).get(URL).json()["count"] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=pending", 1),
        ("state=expired", 1),
        ("state=accepted", 0),
        ("search=FIRST", 1),
        ("role=member", 2),
        ("organization={alpha}&ordering=email", 2),
    ],
)
def test_the_list_is_filtered(
    cast: Cast, client_of: ClientOf, by_alice: int, by_max: int, query: str, expected: int
) -> None:
    Invitation.objects.filter(pk=by_max).update(expires=timezone.now())
    answer = client_of(cast.alice).get(f"{URL}?{query.format(alpha=cast.alpha.pk)}")
    assert answer.json()["count"] == expected


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("delete", ""), ("post", "/resend")])
def test_a_foreign_one_and_none_at_all_answer_byte_for_byte_alike(
    cast: Cast, client_of: ClientOf, by_alice: int, method: str, path: str
) -> None:
    for user in (cast.charlie, cast.max, cast.bob, cast.dev):
        client = client_of(user)
        answers = [getattr(client, method)(f"{URL}/{pk}{path}") for pk in (by_alice, 999_999, 2**63)]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1


def test_a_withdrawn_one_is_void_at_once(cast: Cast, client_of: ClientOf, by_max: int, deliver: Deliver) -> None:
    token = deliver()
    assert client_of().post(LOOK, {"token": token}, format="json").status_code == 200
    assert client_of(cast.max).delete(f"{URL}/{by_max}").status_code == 204
    assert client_of().post(LOOK, {"token": token}, format="json").status_code == 403
    assert client_of(cast.alice).get(f"{URL}/{by_max}").status_code == 404


def test_sending_again_makes_a_new_link_and_voids_the_old_one_at_once(
    cast: Cast, client_of: ClientOf, by_alice: int, deliver: Deliver
) -> None:
    old = deliver()
    Invitation.objects.update(expires=timezone.now() + timedelta(minutes=1))
    answer = client_of(cast.alice).post(f"{URL}/{by_alice}/resend")
    assert (answer.status_code, answer.json()["delivery"], answer.json()["state"]) == (200, "waiting", "pending")
    assert client_of().post(LOOK, {"token": old}, format="json").status_code == 403
    new = deliver()
    assert client_of().post(LOOK, {"token": new}, format="json").status_code == 200
    assert Invitation.objects.get().expires > timezone.now() + timedelta(days=6)


def test_an_expired_one_can_be_sent_again(cast: Cast, client_of: ClientOf, by_alice: int, deliver: Deliver) -> None:
    Invitation.objects.update(expires=timezone.now())
    assert client_of(cast.alice).post(f"{URL}/{by_alice}/resend").json()["state"] == "pending"
    assert client_of().post(LOOK, {"token": deliver()}, format="json").status_code == 200


def test_who_could_not_invite_any_more_cannot_send_it_again(cast: Cast, client_of: ClientOf, by_max: int) -> None:
    SiteAccess.objects.filter(user=cast.max).update(role="operator")
    assert client_of(cast.max).post(f"{URL}/{by_max}/resend").status_code == 403
    taken_over = client_of(cast.alice).post(f"{URL}/{by_max}/resend")
    assert taken_over.json()["invited_by"] == {"id": cast.alice.pk, "name": "Alice"}


def test_an_accepted_one_is_neither_sent_again_nor_withdrawn(cast: Cast, client_of: ClientOf, by_alice: int) -> None:
    Invitation.objects.update(accepted=timezone.now())
    client = client_of(cast.alice)
    for answer in (client.post(f"{URL}/{by_alice}/resend"), client.delete(f"{URL}/{by_alice}")):
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:ems:problem:already_accepted")


def test_old_ones_are_swept_away(cast: Cast, by_alice: int, by_max: int) -> None:
    long_ago = timezone.now() - timedelta(days=31)
    Invitation.objects.filter(pk=by_alice).update(expires=long_ago)
    Invitation.objects.filter(pk=by_max).update(accepted=long_ago)
    recent = Invitation.objects.create(
        organization=cast.beta, email="x@example.com", invited_by=cast.charlie, expires=timezone.now()
    )
    invitations.sweep()
    assert list(Invitation.objects.all()) == [recent]
