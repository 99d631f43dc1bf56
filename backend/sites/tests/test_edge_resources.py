"""/api/edges, /api/edges/{id}/keys and /api/edge-keys, as the people who manage a site use them."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from ems_contract import keys
from sites import edge_keys
from sites.actions.edge_keys import do_create_key, do_revoke_key
from sites.models import Edge, EdgeKey, Point
from sites.tests.asking import code, fields, send
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


@pytest.fixture
def manager(cast: Cast, client_of: ClientOf) -> APIClient:
    return client_of(cast.max)


def make_key(client: APIClient, edge: Edge) -> Any:
    return send(client, "POST", f"/api/edges/{edge.pk}/keys")


def test_an_edge_is_made_changed_and_shown(cast: Cast, manager: APIClient) -> None:
    made = send(manager, "POST", "/api/edges", {"site": cast.own.pk, "name": "Cabinet"})
    assert made.status_code == 201
    body = made.json()
    assert body == {
        "id": body["id"],
        "edge": f"edge_{body['id']}",
        "site": cast.own.pk,
        "name": "Cabinet",
        "poll_interval": 5.0,
        "software": "",
        "last_session": None,
        "derived": [],
        "reporting": [],
        "rules": [],
        "config_state": {"revision": "", "problem": "", "at": None},
    }
    changed = send(manager, "PATCH", f"/api/edges/{body['id']}", {"poll_interval": 1, "name": "Hall"}).json()
    assert (changed["poll_interval"], changed["name"]) == (1.0, "Hall")
    assert manager.get("/api/edges?search=HAL").json()["count"] == 1


def test_an_edge_stays_on_its_site(cast: Cast, client_of: ClientOf, kit: EdgeKit) -> None:
    body = {"site": cast.other.pk}
    assert fields(send(client_of(cast.alice), "PATCH", f"/api/edges/{kit.edge.pk}", body)) == ["site"]


@pytest.mark.parametrize("interval", [0, 0.05, 3601, -1, "NaN", "1e999", None, True])
def test_an_interval_that_cannot_be_kept_is_refused(kit: EdgeKit, manager: APIClient, interval: object) -> None:
    answer = send(manager, "PATCH", f"/api/edges/{kit.edge.pk}", {"poll_interval": interval})
    assert fields(answer) == ["poll_interval"]


def test_a_connected_edge_is_not_deleted_by_accident_and_its_points_outlive_it(
    cast: Cast,
    kit: EdgeKit,
    manager: APIClient,
    clean_redis: redis.Redis,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    url = f"/api/edges/{kit.edge.pk}"
    assert code(manager.delete(url)) == (409, "live_keys")
    assert manager.delete(f"/api/edge-keys/{kit.key.pk}").status_code == 204
    latest = keys.telemetry_latest(cast.own.pk)
    clean_redis.hset(latest, mapping={f"edge_{kit.edge.pk}": b"{}", "edge_999": b"{}"})
    with django_capture_on_commit_callbacks(execute=True):
        assert manager.delete(url).status_code == 204
    assert manager.get(url).status_code == 404
    assert Point.objects.get(pk=kit.point.pk).device is None
    assert clean_redis.hkeys(latest) == [b"edge_999"]


def test_a_key_is_shown_once_and_opens_a_session(kit: EdgeKit, manager: APIClient) -> None:
    answer = make_key(manager, kit.edge)
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    made = answer.json()
    found = edge_keys.find(made["key"])
    assert found is not None
    assert (found.pk, found.edge, found.prefix) == (made["id"], kit.edge, made["prefix"])
    for url in (f"/api/edges/{kit.edge.pk}/keys", f"/api/edge-keys/{found.pk}", f"/api/edges/{kit.edge.pk}"):
        shown = manager.get(url).content.decode()
        assert made["key"].split("_", 2)[2] not in shown
        assert found.secret_hash not in shown


def test_an_edge_has_at_most_two_live_keys(kit: EdgeKit, manager: APIClient) -> None:
    assert make_key(manager, kit.edge).status_code == 201
    assert code(make_key(manager, kit.edge)) == (409, "two_keys")
    assert manager.delete(f"/api/edge-keys/{kit.key.pk}").status_code == 204
    assert make_key(manager, kit.edge).status_code == 201
    listed = manager.get(f"/api/edges/{kit.edge.pk}/keys").json()["results"]
    assert [row["revoked"] is None for row in listed] == [True, True, False]


def test_revoking_again_changes_nothing(kit: EdgeKit, manager: APIClient) -> None:
    do_revoke_key(kit.key)
    kit.key.refresh_from_db()
    first = kit.key.revoked
    assert manager.delete(f"/api/edge-keys/{kit.key.pk}").status_code == 204
    kit.key.refresh_from_db()
    assert kit.key.revoked == first


@pytest.mark.parametrize("name", ["bob", "olga"])
def test_who_does_not_manage_the_site_sees_no_keys(cast: Cast, client_of: ClientOf, kit: EdgeKit, name: str) -> None:
    client = client_of(cast.everyone()[name])
    assert client.get(f"/api/edges/{kit.edge.pk}").status_code == 200
    for method, url in (
        ("GET", f"/api/edges/{kit.edge.pk}/keys"),
        ("POST", f"/api/edges/{kit.edge.pk}/keys"),
        ("GET", f"/api/edge-keys/{kit.key.pk}"),
        ("DELETE", f"/api/edge-keys/{kit.key.pk}"),
    ):
        assert code(send(client, method, url)) == (403, "permission_denied")
    assert EdgeKey.objects.get().revoked is None


def test_the_limit_of_two_holds_for_every_way_to_make_a_key(kit: EdgeKit) -> None:
    from config.problems import Conflict

    do_create_key(kit.edge)
    with pytest.raises(Conflict, match="2 live keys"):
        do_create_key(kit.edge)
