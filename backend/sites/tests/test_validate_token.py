"""GET /api/validate-token: the grant, exactly as the contract has it."""

from __future__ import annotations

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts import tokens
from ems_contract.access import Action, Grant, GrantUser, SiteGrant
from sites.models import SiteAccess
from testing.cast import Cast, ClientOf

URL = "/api/validate-token"


def grant(client: APIClient) -> Grant:
    answer = client.get(URL)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return msgspec.json.decode(answer.content, type=Grant)


def test_it_is_the_contracts_grant_byte_for_byte(cast: Cast) -> None:
    issued = tokens.start(cast.olga)
    answer = APIClient().get(URL, HTTP_AUTHORIZATION=f"Bearer {issued.access}")
    operator = [Action.VIEW, Action.EXPORT_REPORTS, Action.ACKNOWLEDGE_ALERTS]
    expected = Grant(
        user=GrantUser(cast.olga.pk, "olga@example.com", "Olga"),
        sites=[SiteGrant(f"site_{cast.own.pk}", "Own", cast.alpha.pk, "operator", operator)],
        expires=issued.access_expires,
    )
    assert answer.content == msgspec.json.encode(expected)


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("alice", {"Own": "org_admin", "Other": "org_admin"}),
        ("bob", {"Own": "viewer"}),
        ("max", {"Own": "site_manager"}),
        ("charlie", {"Foreign": "org_admin"}),
        ("root", {"Own": "platform_admin", "Other": "platform_admin", "Foreign": "platform_admin"}),
        ("dev", {}),
    ],
)
def test_each_role_gets_its_sites(cast: Cast, client_of: ClientOf, name: str, roles: dict[str, str]) -> None:
    assert {site.name: site.role for site in grant(client_of(cast.everyone()[name])).sites} == roles


def test_the_flags_beside_the_roles_are_in_it(cast: Cast, client_of: ClientOf) -> None:
    assert grant(client_of(cast.dev)).user.developer
    assert grant(client_of(cast.root)).user.platform_admin


def test_the_strongest_role_counts(cast: Cast, client_of: ClientOf) -> None:
    SiteAccess.objects.create(user=cast.alice, site=cast.own, role="viewer")
    roles = {site.name: site.role for site in grant(client_of(cast.alice)).sites}
    assert roles == {"Own": "org_admin", "Other": "org_admin"}


def test_a_grant_takes_the_same_number_of_queries_however_many_sites(
    cast: Cast, client_of: ClientOf, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(cast.root)
    with django_assert_max_num_queries(5):
        client.get(URL)


def test_an_edge_key_gets_no_grant(cast: Cast) -> None:
    from testing.cast import edge_kit

    text = edge_kit(cast.own).text
    assert APIClient().get(URL, HTTP_AUTHORIZATION=f"Bearer {text}").status_code == 401
