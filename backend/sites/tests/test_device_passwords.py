"""A device's password is written, sent to its edge, and shown to nobody: by no API, admin, log or export."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.organization_export import document
from audit.models import AuditEvent
from sites.actions.edge_session import config_of
from sites.models import Device
from sites.tests.asking import fields, send
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit

SECRET = "only-the-broker-knows"
BROKER: dict[str, Any] = {"host": "10.0.0.9", "username": "edge", "password": SECRET}
SHOWN = {"host": "10.0.0.9", "username": "edge"}


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


@pytest.fixture
def manager(cast: Cast, client_of: ClientOf) -> APIClient:
    return client_of(cast.max)


@pytest.fixture
def url(manager: APIClient, kit: EdgeKit) -> str:
    """Of a device behind a broker, which was added over the API."""
    new = {"edge": kit.edge.pk, "key": "plug", "name": "Plug", "driver": "mqtt", "profile": "shelly_plus_plug"}
    answer = send(manager, "POST", "/api/devices", {**new, "connection": BROKER})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["connection"], answer.json()["has_password"]) == (SHOWN, True)
    return f"/api/devices/{answer.json()['id']}"


def kept() -> Any:
    return Device.objects.get(key="plug").connection.get("password")


def test_it_is_shown_nowhere_and_sent_to_the_edge_only(
    cast: Cast, manager: APIClient, client_of: ClientOf, kit: EdgeKit, url: str
) -> None:
    assert manager.get(url).json()["connection"] == SHOWN
    viewer = client_of(cast.bob).get(url).json()
    assert (viewer["connection"], viewer["has_password"]) == (None, False)
    send(manager, "PATCH", url, {"connection": {**BROKER, "password": f"{SECRET}-2"}})
    send(manager, "DELETE", url)
    told = json.dumps([[event.before, event.after, event.details] for event in AuditEvent.objects.all()])
    assert "[not shown]" in told
    assert SECRET not in told
    assert SECRET.encode() not in b"".join(document(cast.alpha))


def test_it_goes_to_the_edge_in_its_session(kit: EdgeKit, url: str) -> None:
    config = config_of(kit.edge)
    assert [device.connection for device in config.devices if device.key == "plug"] == [BROKER]
    assert SECRET not in repr(config)


def test_the_admin_shows_none_and_keeps_it(cast: Cast, kit: EdgeKit, url: str) -> None:
    browser = Client()
    browser.force_login(cast.root)
    device = Device.objects.get(key="plug")
    page = f"/admin/sites/device/{device.pk}/change/"
    for shown in (page, f"/admin/sites/edge/{kit.edge.pk}/change/"):
        answer = browser.get(shown)
        assert answer.status_code == 200
        assert b"10.0.0.9" in answer.content
        assert SECRET.encode() not in answer.content
    form = {"edge": kit.edge.pk, "name": "Other", "driver": "mqtt", "profile": "shelly_plus_plug"}
    answer = browser.post(page, {**form, "connection": json.dumps({**SHOWN, "tls": False, "base": "x"})})
    assert answer.status_code in {200, 302}
    assert kept() == SECRET


@pytest.mark.parametrize("connection", [SHOWN, {**SHOWN, "password": None}, {**SHOWN, "client_id": "other"}])
def test_a_connection_that_leaves_it_out_keeps_it(manager: APIClient, url: str, connection: dict[str, Any]) -> None:
    assert send(manager, "PATCH", url, {"connection": connection}).status_code == 200
    assert kept() == SECRET


@pytest.mark.parametrize("elsewhere", [{"host": "evil.example"}, {"port": 1884}, {"username": "other"}, {"tls": True}])
def test_it_is_not_kept_for_another_place(manager: APIClient, url: str, elsewhere: dict[str, Any]) -> None:
    """Who may not see it could have it sent to a host of their own."""
    moved = {**SHOWN, **elsewhere}
    assert fields(send(manager, "PATCH", url, {"connection": moved})) == ["connection.password"]
    assert kept() == SECRET
    assert send(manager, "PATCH", url, {"connection": {**moved, "password": "new"}}).status_code == 200
    assert kept() == "new"


def test_an_empty_one_removes_it(manager: APIClient, url: str) -> None:
    answer = send(manager, "PATCH", url, {"connection": {**SHOWN, "password": ""}}).json()
    assert (answer["has_password"], kept()) == (False, None)


def test_the_revision_that_people_see_helps_nobody_to_guess_it(kit: EdgeKit, url: str, settings: Any) -> None:
    before = config_of(kit.edge).revision
    settings.EDGE_PASSWORD_KEY = "another installation's"
    assert config_of(kit.edge).revision != before


def test_null_in_a_connection_is_left_out(manager: APIClient, url: str) -> None:
    """An edge reads plain values only."""
    assert send(manager, "PATCH", url, {"connection": {**BROKER, "ca_file": None}}).status_code == 200
    assert Device.objects.get(key="plug").connection == BROKER
