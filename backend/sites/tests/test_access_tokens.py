"""/api/access-tokens: made, listed, revoked, and never good for more than their maker may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import AccessChange, AccessToken, Membership, Organization, User
from accounts.policy import Role
from audit.models import AuditEvent
from sites.models import Site, SiteAccess
from testing.cast import Cast, ClientOf, site

URL = "/api/access-tokens"


def body(**changes: Any) -> dict[str, Any]:
    return {"name": "Grafana", "expires": (timezone.now() + timedelta(days=30)).isoformat(), **changes}


def make(client: APIClient, **changes: Any) -> Any:
    return client.post(URL, body(**changes), format="json")


def with_token(answer: Any) -> APIClient:
    assert answer.status_code == 201, answer.content
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    return client


def grant(client: APIClient) -> dict[str, tuple[str, list[str]]]:
    """Site name -> (role, actions)."""
    sites = client.get("/api/validate-token").json()["sites"]
    return {one["name"]: (one["role"], one["actions"]) for one in sites}


def error_fields(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.content
    return [error["field"] for error in answer.json()["errors"]]


def test_a_list_that_is_too_long_costs_not_a_query_for_each_of_its_members(
    cast: Cast, client_of: ClientOf, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = client_of(cast.bob)
    with django_assert_max_num_queries(20):
        answer = make(client, sites=[cast.own.pk] * 1_000)
    assert error_fields(answer) == ["sites"]
    assert "at most 200" in answer.json()["errors"][0]["message"]


# One's own -----------------------------------------------------------------------------------------------------------


def test_the_text_is_shown_once_and_only_a_hash_is_kept(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.bob)
    answer = make(client)
    made = answer.json()
    assert answer["Cache-Control"] == "no-store"
    assert made["token"].startswith(f"emt_{cast.bob.pk}_{made['prefix']}_")
    shown = client.get(f"{URL}/{made['id']}").json()
    assert shown == {name: value for name, value in made.items() if name != "token"}
    secret = made["token"].split("_", 3)[3]
    assert secret not in str(AccessToken.objects.values().get())
    assert secret not in str(list(AuditEvent.objects.values()))


def test_by_default_it_only_reads_whatever_its_owner_may_do(cast: Cast, client_of: ClientOf) -> None:
    client = with_token(make(client_of(cast.max)))
    assert grant(client) == {"Own": ("site_manager", ["view"])}
    assert client.get(f"/api/sites/{cast.own.pk}").status_code == 200
    assert client.patch(f"/api/sites/{cast.own.pk}", {"name": "New"}, format="json").status_code == 403


def test_its_scopes_are_a_limit_and_so_are_its_sites(cast: Cast, client_of: ClientOf) -> None:
    client = with_token(make(client_of(cast.alice), scopes=["read", "reports"], sites=[cast.other.pk]))
    assert grant(client) == {"Other": ("org_admin", ["view", "export_reports"])}
    assert client.get(f"/api/sites/{cast.own.pk}").status_code == 404


def test_it_carries_no_platform_rights_and_no_way_to_people_or_credentials(cast: Cast, client_of: ClientOf) -> None:
    client = with_token(make(client_of(cast.root)))
    assert client.get("/api/validate-token").json()["user"]["platform_admin"] is False
    assert grant(client) == {}
    assert client.get(f"/api/sites/{cast.own.pk}").status_code == 404
    assert make(client).status_code == 403
    for address in (URL, "/api/users", "/api/auth/sessions", "/api/settings"):
        assert client.get(address).status_code == 403
    assert client.patch("/api/auth/me", {"name": "x"}, format="json").status_code == 403


@pytest.mark.parametrize(
    ("who", "changes", "field"),
    [
        ("bob", {"scopes": ["manage"]}, "scopes"),
        ("bob", {"scopes": ["read", "reports"]}, "scopes"),
        ("olga", {"scopes": ["control"]}, "scopes"),
        ("max", {"scopes": ["manage"], "sites": ["{other}"]}, "sites.0"),
        ("bob", {"sites": ["{foreign}"]}, "sites.0"),
        ("bob", {"sites": [999_999]}, "sites.0"),
        ("bob", {"organization": "{beta}"}, "organization"),
        ("root", {"sites": ["{own}"]}, "sites"),
        ("root", {"scopes": ["manage"]}, "scopes"),
    ],
)
def test_it_is_never_made_for_more_than_its_maker_may_do(
    cast: Cast, client_of: ClientOf, who: str, changes: dict[str, Any], field: str
) -> None:
    ids = {"{own}": cast.own, "{other}": cast.other, "{foreign}": cast.foreign, "{beta}": cast.beta}

    def filled(value: Any) -> Any:
        return [filled(one) for one in value] if isinstance(value, list) else getattr(ids.get(value), "pk", value)

    answer = make(client_of(cast.everyone()[who]), **{name: filled(value) for name, value in changes.items()})
    assert error_fields(answer) == [field]
    assert not AccessToken.objects.exists()


def test_a_foreign_site_is_refused_in_the_words_of_one_that_does_not_exist(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.bob)
    foreign, nonexistent = make(client, sites=[cast.foreign.pk]), make(client, sites=[999_999])
    assert foreign.content == nonexistent.content


def test_it_loses_what_its_owner_loses(cast: Cast, client_of: ClientOf) -> None:
    client = with_token(make(client_of(cast.max), scopes=["manage"]))
    assert grant(client)["Own"][1] == ["view", "manage_site"]
    SiteAccess.objects.filter(user=cast.max).update(role=Role.VIEWER)
    assert grant(client)["Own"] == ("viewer", ["view"])
    Membership.objects.filter(user=cast.max).delete()
    assert grant(client) == {}
    cast.max.is_active = False
    cast.max.save()
    assert client.get("/api/validate-token").status_code == 401


@pytest.mark.parametrize("days", [-1, 0, 367, 10_000])
def test_it_ends_within_a_year(cast: Cast, client_of: ClientOf, days: int) -> None:
    expires = (timezone.now() + timedelta(days=days)).isoformat()
    assert error_fields(make(client_of(cast.bob), expires=expires)) == ["expires"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"expires": None}, "expires"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes.0"),
        ({"sites": []}, "sites"),
        ({"role": "viewer"}, "role"),
        ({"user": 1}, "user"),
        ({"secret_hash": "x"}, "secret_hash"),
    ],
)
def test_what_is_wrong_is_named(cast: Cast, client_of: ClientOf, changes: dict[str, Any], field: str) -> None:
    assert error_fields(make(client_of(cast.bob), **changes)) == [field]


# An organization's ---------------------------------------------------------------------------------------------------


def test_an_organization_s_acts_through_a_service_account_with_the_given_role(cast: Cast, client_of: ClientOf) -> None:
    answer = make(
        client_of(cast.alice), organization=cast.alpha.pk, sites=[cast.own.pk], role="operator", scopes=["alerts"]
    )
    made = answer.json()
    assert (made["organization"], made["role"], made["sites"]) == (cast.alpha.pk, "operator", [cast.own.pk])
    account = User.objects.get(pk=made["user"]["id"])
    assert (account.email, account.is_service) == (f"token-{made['prefix']}@service.invalid", True)
    assert not account.has_usable_password()
    assert grant(with_token(answer)) == {"Own": ("operator", ["view", "acknowledge_alerts"])}


def test_without_sites_it_has_all_that_there_are_now_and_is_given_later_ones(cast: Cast, client_of: ClientOf) -> None:
    answer = make(client_of(cast.alice), organization=cast.alpha.pk)
    client = with_token(answer)
    assert set(grant(client)) == {"Own", "Other"}
    later = site(cast.alpha, "later")
    assert set(grant(client)) == {"Own", "Other"}
    SiteAccess.objects.create(user_id=answer.json()["user"]["id"], site=later, role=Role.VIEWER)
    assert set(grant(client)) == {"Own", "Other", "Later"}


@pytest.mark.parametrize("who", ["bob", "olga", "max"])
def test_only_org_admins_make_them(cast: Cast, client_of: ClientOf, who: str) -> None:
    answer = make(client_of(cast.everyone()[who]), organization=cast.alpha.pk)
    assert answer.status_code == 403
    assert not User.objects.filter(is_service=True).exists()


def test_its_sites_are_the_organization_s_own(cast: Cast, client_of: ClientOf) -> None:
    Membership.objects.create(user=cast.alice, organization=cast.beta, role=Membership.Role.ORG_ADMIN)
    answer = make(client_of(cast.alice), organization=cast.alpha.pk, sites=[cast.own.pk, cast.foreign.pk])
    assert error_fields(answer) == ["sites"]


def test_a_scope_that_its_role_does_not_allow_is_refused_in_words(cast: Cast, client_of: ClientOf) -> None:
    answer = make(client_of(cast.alice), organization=cast.alpha.pk, role="viewer", scopes=["control"])
    assert error_fields(answer) == ["scopes"]
    assert "A viewer may not control devices" in answer.json()["errors"][0]["message"]


def test_an_operator_s_controls_only_where_the_site_lets_operators(cast: Cast, client_of: ClientOf) -> None:
    client = with_token(make(client_of(cast.alice), organization=cast.alpha.pk, role="operator", scopes=["control"]))
    Site.objects.filter(pk=cast.own.pk).update(operators_may_control=True)
    assert grant(client) == {"Own": ("operator", ["view", "control_devices"]), "Other": ("operator", ["view"])}


def test_a_service_account_neither_logs_in_nor_gets_a_password(cast: Cast, client_of: ClientOf) -> None:
    make(client_of(cast.alice), organization=cast.alpha.pk)
    account = User.objects.get(is_service=True)
    login = APIClient().post("/api/auth/login", {"email": account.email, "password": "x"}, format="json")
    assert login.status_code == 401


def test_while_the_organization_is_suspended_it_sees_nothing(cast: Cast, client_of: ClientOf) -> None:
    client = with_token(make(client_of(cast.alice), organization=cast.alpha.pk))
    Organization.objects.filter(pk=cast.alpha.pk).update(suspended=timezone.now())
    assert grant(client) == {}


# Listed, used, revoked -----------------------------------------------------------------------------------------------


def test_people_see_their_own_and_org_admins_those_of_their_organization(cast: Cast, client_of: ClientOf) -> None:
    make(client_of(cast.bob), name="Bob's")
    make(client_of(cast.alice), name="Alpha's", organization=cast.alpha.pk)
    make(client_of(cast.charlie), name="Beta's", organization=cast.beta.pk)

    def listed(user: User) -> set[str]:
        return {one["name"] for one in client_of(user).get(URL).json()["results"]}

    assert listed(cast.bob) == {"Bob's"}
    assert listed(cast.alice) == {"Alpha's"}
    assert listed(cast.charlie) == {"Beta's"}
    assert listed(cast.root) == {"Bob's", "Alpha's", "Beta's"}
    assert listed(cast.max) == set()


def test_the_list_is_filtered(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    make(client, name="Mine")
    revoked = make(client, name="Gone", organization=cast.alpha.pk).json()["id"]
    client.delete(f"{URL}/{revoked}")

    def listed(query: str) -> list[str]:
        return [one["name"] for one in client.get(f"{URL}?ordering=name&{query}").json()["results"]]

    assert listed("") == ["Gone", "Mine"]
    assert listed("active=true") == ["Mine"]
    assert listed("active=false") == ["Gone"]
    assert listed(f"organization={cast.alpha.pk}") == ["Gone"]
    assert listed("search=mi") == ["Mine"]
    assert client.get(f"{URL}?organization={cast.beta.pk}").status_code == 400


def test_a_revoked_one_is_refused_at_once_and_its_sockets_are_told(cast: Cast, client_of: ClientOf) -> None:
    answer = make(client_of(cast.alice), organization=cast.alpha.pk)
    client = with_token(answer)
    assert client.get("/api/sites").status_code == 200
    AccessChange.objects.all().delete()
    address = f"{URL}/{answer.json()['id']}"
    assert client_of(cast.alice).delete(address).status_code == 204
    assert client.get("/api/sites").status_code == 401
    assert set(AccessChange.objects.values_list("user_id", flat=True)) == {answer.json()["user"]["id"]}
    shown = client_of(cast.alice).get(address).json()
    assert (shown["active"], shown["revoked"] is None) == (False, False)
    assert not Membership.objects.filter(user=answer.json()["user"]["id"]).exists()
    assert client_of(cast.alice).delete(address).status_code == 204


def test_one_s_own_ends_without_its_owner(cast: Cast, client_of: ClientOf) -> None:
    answer = make(client_of(cast.bob))
    client_of(cast.bob).delete(f"{URL}/{answer.json()['id']}")
    cast.bob.refresh_from_db()
    assert cast.bob.is_active
    assert Membership.objects.filter(user=cast.bob).exists()


def test_one_s_own_ends_with_the_password(cast: Cast, client_of: ClientOf) -> None:
    client = with_token(make(client_of(cast.bob)))
    new = "a much better pass phrase"
    answer = client_of(cast.bob).post("/api/auth/password", {"current": cast.password, "new": new}, format="json")
    assert answer.status_code == 200
    assert client.get("/api/sites").status_code == 401


def test_one_s_own_ends_with_the_account_and_does_not_come_back_with_it(cast: Cast, client_of: ClientOf) -> None:
    client = with_token(make(client_of(cast.bob)))
    for active in (False, True):
        User.objects.filter(pk=cast.bob.pk).update(is_active=active)
        assert client.get("/api/sites").status_code == 401


def test_another_s_is_as_if_it_did_not_exist(cast: Cast, client_of: ClientOf) -> None:
    token = make(client_of(cast.bob)).json()["id"]
    client = client_of(cast.alice)
    for method in (client.get, client.delete):
        foreign, nonexistent = method(f"{URL}/{token}"), method(f"{URL}/999999")
        assert (foreign.status_code, foreign.content) == (404, nonexistent.content)
    assert AccessToken.objects.get().revoked is None


def test_its_use_is_noted_once_a_minute(cast: Cast, client_of: ClientOf) -> None:
    client = with_token(make(client_of(cast.bob)))
    assert AccessToken.objects.get().last_used is None
    AccessChange.objects.all().delete()
    client.get("/api/sites")
    first = AccessToken.objects.get().last_used
    assert first is not None
    client.get("/api/sites")
    assert AccessToken.objects.get().last_used == first
    AccessToken.objects.update(last_used=first - timedelta(minutes=2))
    client.get("/api/sites")
    last = AccessToken.objects.get().last_used
    assert last is not None
    assert last >= first
    assert not AccessChange.objects.exists()


def test_making_and_revoking_are_audited(cast: Cast, client_of: ClientOf) -> None:
    answer = make(client_of(cast.bob))
    client_of(cast.bob).delete(f"{URL}/{answer.json()['id']}")
    events = AuditEvent.objects.filter(action__startswith="access_token.").order_by("id")
    assert [(event.action, event.actor_id) for event in events] == [
        ("access_token.created", cast.bob.pk),
        ("access_token.changed", cast.bob.pk),
    ]


@pytest.mark.parametrize("spoilt", ["user", "prefix", "secret", "cut", "expired"])
def test_a_token_that_is_not_quite_right_is_refused_in_the_same_words(
    cast: Cast, client_of: ClientOf, spoilt: str
) -> None:
    token = make(client_of(cast.bob)).json()["token"]
    _, user, prefix, secret = token.split("_", 3)
    match spoilt:
        case "user":
            token = f"emt_{cast.root.pk}_{prefix}_{secret}"
        case "prefix":
            token = f"emt_{user}_{'0' * 12}_{secret}"
        case "secret":
            token = f"emt_{user}_{prefix}_{'A' * 43}"
        case "cut":
            token = token[:-1]
        case "expired":
            AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    answer = client.get("/api/sites")
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:ems:problem:invalid_token")
