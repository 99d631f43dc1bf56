"""POST /api/sites, PATCH and DELETE /api/sites/{id}"""

from __future__ import annotations

from typing import Any

import pytest
import redis
from pytest_django import DjangoCaptureOnCommitCallbacks

from ems_contract import keys
from sites.actions.edge_keys import do_revoke_key
from sites.models import Point, Site
from sites.tests.asking import code, fields, send
from testing.cast import Cast, ClientOf, edge_kit

URL = "/api/sites"


def new(alpha: int, **changes: object) -> dict[str, Any]:
    return {
        "organization": alpha,
        "name": "Süd-Werk 3",
        "timezone": "Europe/Berlin",
        "latitude": 51.0,
        "longitude": 13.7,
        **changes,
    }


@pytest.mark.parametrize("name", ["alice", "root"])
def test_an_org_admin_makes_a_site(cast: Cast, client_of: ClientOf, name: str) -> None:
    answer = send(client_of(cast.everyone()[name]), "POST", URL, new(cast.alpha.pk, operators_may_control=True))
    assert answer.status_code == 201
    body = answer.json()
    made = Site.objects.get(pk=body["id"])
    assert (made.organization, made.slug, made.operators_may_control) == (cast.alpha, "sud-werk-3", True)
    assert (body["site"], body["organization"]["name"], body["address"]) == (f"site_{made.pk}", "Alpha", "")
    assert "manage_org_users" in body["actions"]


@pytest.mark.parametrize("name", ["bob", "olga", "max"])
def test_who_is_no_org_admin_makes_none_whatever_else_the_body_says(cast: Cast, client_of: ClientOf, name: str) -> None:
    for body in (new(cast.alpha.pk), {"organization": cast.alpha.pk, "name": ""}):
        assert code(send(client_of(cast.everyone()[name]), "POST", URL, body)) == (403, "permission_denied")
    assert Site.objects.count() == 3


def test_a_slug_is_made_so_that_it_is_free(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    slugs = [send(client, "POST", URL, new(cast.alpha.pk, name="Own")).json()["slug"] for _ in range(2)]
    assert slugs == ["own-2", "own-3"]
    assert send(client, "POST", URL, new(cast.alpha.pk, name="東京")).json()["slug"] == "site"
    assert fields(send(client, "POST", URL, new(cast.alpha.pk, slug="own"))) == ["slug"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x07b"}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"timezone": "Europe/Nowhere"}, "timezone"),
        ({"latitude": 90.1}, "latitude"),
        ({"latitude": "NaN"}, "latitude"),
        ({"longitude": None}, "longitude"),
        ({"slug": "a b"}, "slug"),
        ({"operators_may_control": "perhaps"}, "operators_may_control"),
        ({"organization": "alpha"}, "organization"),
        ({"organization": 10**30}, "organization"),
        ({"id": 1}, "id"),
        ({"owner": 1}, "owner"),
    ],
)
def test_a_wrong_field_is_named(cast: Cast, client_of: ClientOf, change: dict[str, object], field: str) -> None:
    assert fields(send(client_of(cast.alice), "POST", URL, new(cast.alpha.pk, **change))) == [field]


def test_a_site_manager_changes_its_settings(cast: Cast, client_of: ClientOf) -> None:
    body = {"name": "Renamed", "operators_may_control": True, "timezone": "Asia/Tokyo", "address": "Chiyoda 1"}
    answer = send(client_of(cast.max), "PATCH", f"{URL}/{cast.own.pk}", body)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in body} == body
    cast.own.refresh_from_db()
    assert (cast.own.name, cast.own.operators_may_control) == ("Renamed", True)


@pytest.mark.parametrize("name", ["bob", "olga"])
def test_viewers_and_operators_change_nothing(cast: Cast, client_of: ClientOf, name: str) -> None:
    client = client_of(cast.everyone()[name])
    assert code(send(client, "PATCH", f"{URL}/{cast.own.pk}", {"name": "x"})) == (403, "permission_denied")


def test_two_people_who_change_different_fields_do_not_undo_each_other(cast: Cast) -> None:
    from sites.actions.sites import do_change_site

    first, second = Site.objects.get(pk=cast.own.pk), Site.objects.get(pk=cast.own.pk)
    do_change_site(first, name="Renamed")
    do_change_site(second, address="Elsewhere")
    cast.own.refresh_from_db()
    assert (cast.own.name, cast.own.address) == ("Renamed", "Elsewhere")


def test_a_site_goes_with_everything_on_it_once_no_edge_is_connected(
    cast: Cast,
    client_of: ClientOf,
    clean_redis: redis.Redis,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    kit, client = edge_kit(cast.own), client_of(cast.alice)
    refused = client.delete(f"{URL}/{cast.own.pk}", {"name": "Own"}, format="json")
    assert code(refused) == (409, "live_keys")
    assert kit.key.prefix in refused.json()["detail"]
    assert kit.text not in refused.json()["detail"]
    do_revoke_key(kit.key)
    clean_redis.hset(keys.telemetry_latest(cast.own.pk), f"edge_{kit.edge.pk}", b"{}")
    with django_capture_on_commit_callbacks(execute=True):
        assert client.delete(f"{URL}/{cast.own.pk}", {"name": "Own"}, format="json").status_code == 204
    assert client.get(f"{URL}/{cast.own.pk}").status_code == 404
    assert not Point.objects.filter(pk=kit.point.pk).exists()
    assert not clean_redis.exists(keys.telemetry_latest(cast.own.pk))


@pytest.mark.parametrize("body", [None, {}, {"name": "Other"}, {"name": "own"}])
def test_a_site_is_deleted_only_by_whoever_types_its_name(
    cast: Cast, client_of: ClientOf, body: dict[str, str] | None
) -> None:
    answer = client_of(cast.alice).delete(f"{URL}/{cast.own.pk}", body, format="json")
    assert code(answer) == (400, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]
    assert Site.objects.filter(pk=cast.own.pk).exists()


def test_a_site_manager_does_not_delete_the_site(cast: Cast, client_of: ClientOf) -> None:
    assert code(client_of(cast.max).delete(f"{URL}/{cast.own.pk}")) == (403, "permission_denied")
    assert Site.objects.filter(pk=cast.own.pk).exists()
