"""/api/devices: what the edges of a site read."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from ems_contract import keys
from sites.models import Asset, Device, Edge, Point
from sites.outbox import relay
from sites.tests.asking import code, fields, send
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit

URL = "/api/devices"


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


@pytest.fixture
def manager(cast: Cast, client_of: ClientOf) -> APIClient:
    return client_of(cast.max)


def new(kit: EdgeKit, **changes: object) -> dict[str, Any]:
    return {
        "edge": kit.edge.pk,
        "key": "battery",
        "name": "Battery",
        "driver": "modbus",
        "profile": "stl_battery",
        "connection": {"host": "10.0.0.5", "port": 502, "unit": 1},
        **changes,
    }


def test_a_device_is_added_to_an_edge(cast: Cast, kit: EdgeKit, manager: APIClient) -> None:
    asset = cast.own.assets.get()
    answer = send(manager, "POST", URL, new(kit, asset=asset.pk, poll_interval=2.5))
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        **new(kit, asset=asset.pk, poll_interval=2.5),
        "id": body["id"],
        "site": cast.own.pk,
        "has_password": False,
    }
    row = Device.objects.get(pk=body["id"])
    assert (row.site, row.organization, row.edge) == (cast.own, cast.alpha, kit.edge)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "Grid Meter"}, "key"),
        ({"key": "x" * 41}, "key"),
        ({"key": "grid_meter"}, "key"),
        ({"driver": "telepathy"}, "driver"),
        ({"profile": "../etc/passwd"}, "profile"),
        ({"connection": {}}, "connection.host"),
        ({"connection": None}, "connection"),
        ({"connection": []}, "connection"),
        ({"connection": {"host": "10.0.0.5", "port": 0}}, "connection.port"),
        ({"connection": {"host": "10.0.0.5", "port": "502"}}, "connection.port"),
        ({"connection": {"host": "10.0.0.5", "unit": 256}}, "connection.unit"),
        ({"connection": {"host": "10.0.0.5", "baud": 9600}}, "connection"),
        ({"connection": {"host": "a b"}}, "connection.host"),
        ({"connection": {"host": "evil.example/x?"}}, "connection.host"),
        ({"connection": {"host": {"$ne": 1}}}, "connection.host"),
        ({"poll_interval": "NaN"}, "poll_interval"),
        ({"poll_interval": 0}, "poll_interval"),
    ],
)
def test_a_wrong_field_is_named(kit: EdgeKit, manager: APIClient, change: dict[str, object], field: str) -> None:
    assert fields(send(manager, "POST", URL, new(kit, **change))) == [field]


def test_a_change_is_checked_with_what_stays(kit: EdgeKit, manager: APIClient) -> None:
    url = f"{URL}/{kit.device.pk}"
    assert send(manager, "PATCH", url, {"name": "Main meter", "poll_interval": None}).json()["name"] == "Main meter"
    assert fields(send(manager, "PATCH", url, {"connection": {"port": 502}})) == ["connection.host"]
    assert fields(send(manager, "PATCH", url, {"key": "other"})) == ["key"]
    moved = Edge.objects.create(site=kit.edge.site, name="Second")
    assert send(manager, "PATCH", url, {"edge": moved.pk}).json()["edge"] == moved.pk


def test_a_device_and_what_it_names_are_on_one_site(cast: Cast, client_of: ClientOf, kit: EdgeKit) -> None:
    there, client = edge_kit(cast.other), client_of(cast.alice)
    asset = Asset.objects.get(site=cast.other)
    for body, field in (({"edge": there.edge.pk}, "edge"), ({"asset": asset.pk}, "asset")):
        nowhere = send(client, "PATCH", f"{URL}/{kit.device.pk}", {field: 999_999})
        elsewhere = send(client, "PATCH", f"{URL}/{kit.device.pk}", body)
        assert fields(elsewhere) == [field]
        assert elsewhere.content == nowhere.content
    assert fields(send(client, "POST", URL, new(kit, asset=asset.pk))) == ["asset"]


def test_how_a_device_is_reached_is_shown_to_who_manages_the_site(
    cast: Cast, client_of: ClientOf, kit: EdgeKit, manager: APIClient
) -> None:
    assert manager.get(f"{URL}/{kit.device.pk}").json()["connection"] == kit.device.connection
    for url in (f"{URL}/{kit.device.pk}", f"{URL}?edge={kit.edge.pk}"):
        answer = client_of(cast.olga).get(url)
        assert answer.status_code == 200
        assert "127.0.0.1" not in answer.content.decode()


def test_its_points_outlive_it(kit: EdgeKit, manager: APIClient) -> None:
    assert manager.delete(f"{URL}/{kit.device.pk}").status_code == 204
    assert Point.objects.get(pk=kit.point.pk).device is None


def test_viewers_change_no_device(cast: Cast, client_of: ClientOf, kit: EdgeKit) -> None:
    client = client_of(cast.bob)
    for method in ("PATCH", "DELETE"):
        assert code(send(client, method, f"{URL}/{kit.device.pk}")) == (403, "permission_denied")
    assert code(send(client, "POST", URL, {"edge": kit.edge.pk})) == (403, "permission_denied")


def test_the_edge_hears_of_a_device_that_comes_changes_and_goes(
    kit: EdgeKit,
    manager: APIClient,
    clean_redis: redis.Redis,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    relay()
    with clean_redis.pubsub() as subscription:
        subscription.subscribe(keys.config_changed_channel(kit.edge.pk))
        assert subscription.get_message(timeout=2)
        for method, url, body in (
            ("POST", URL, new(kit)),
            ("PATCH", f"{URL}/{kit.device.pk}", {"poll_interval": 2}),
            ("DELETE", f"{URL}/{kit.device.pk}", None),
        ):
            with django_capture_on_commit_callbacks(execute=True):
                assert send(manager, method, url, body).status_code < 300
            relay()
            message = subscription.get_message(timeout=2)
            assert message, f"{method} is not announced"
            assert message["type"] == "message"
