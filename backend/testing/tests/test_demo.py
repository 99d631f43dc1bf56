"""`manage.py demo`"""

from __future__ import annotations

import dataclasses
import json
import stat
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Organization, User
from sites import edge_keys
from sites.grants import resolve
from sites.models import Device, EdgeKey, Site


@pytest.fixture
def out(db: None, clean_redis: redis.Redis, tmp_path: Path) -> Path:
    return tmp_path / "state" / "demo.json"


def run(out: Path, **options: object) -> dict[str, Any]:
    call_command("demo", out=out, **options)
    content: dict[str, Any] = json.loads(out.read_text())
    return content


def test_it_makes_two_organizations_four_sites_and_every_role(out: Path) -> None:
    made = run(out, modbus_host="simulator", modbus_port=15020)
    assert [org.name for org in Organization.objects.all()] == ["Campo Energy", "Nordwerk Industries"]
    assert [edge["site_key"] for edge in made["edges"]] == ["factory", "office", "solar_farm", "warehouse"]
    roles = {account["role"] for account in made["accounts"]}
    assert roles == {"platform_admin", "org_admin", "site_manager", "operator", "viewer", "developer"}
    both = [account["organization"] for account in made["accounts"] if "," in account["organization"]]
    assert both == ["Nordwerk Industries, Campo Energy"]
    connections = {(d.site.slug, d.key): d.connection for d in Device.objects.select_related("site")}
    assert connections["solar-farm", "battery"] == {"host": "simulator", "port": 15022, "unit": 3}
    assert ("office", "battery") not in connections


def test_every_account_logs_in_with_the_one_password(out: Path) -> None:
    made = run(out)
    for account in made["accounts"]:
        form = {"email": account["email"], "password": made["password"]}
        assert APIClient().post("/api/auth/login", form, format="json").status_code == 200


def test_each_account_has_the_role_that_the_file_says(out: Path) -> None:
    strength = ["developer", "viewer", "operator", "site_manager", "org_admin", "platform_admin"]
    for account in run(out)["accounts"]:
        grant = resolve(User.objects.get(email=account["email"]), 0)
        roles = [site.role for site in grant.sites] or ["developer"]
        assert max(roles, key=strength.index) == account["role"]


def test_every_edge_key_opens_its_edge(out: Path) -> None:
    for edge in run(out)["edges"]:
        found = edge_keys.find(edge["key"])
        assert found is not None
        assert (found.edge_id, found.site_id) == (edge["id"], edge["site_id"])


def test_running_it_again_changes_nothing_and_tells_nobody(
    out: Path, clean_redis: redis.Redis, django_capture_on_commit_callbacks: Any
) -> None:
    first = run(out)
    with django_capture_on_commit_callbacks() as callbacks:
        assert run(out) == first
    assert callbacks == []
    assert EdgeKey.objects.count() == 4


def test_a_changed_port_reaches_the_devices_and_ids_stay(out: Path) -> None:
    first = run(out)
    assert run(out, modbus_port=16020, bacnet_port=16100) == first
    meters = Device.objects.filter(driver="modbus")
    assert {device.connection["port"] for device in meters} == {16020, 16021, 16022, 16023}
    (air_handler,) = Device.objects.filter(driver="bacnet")
    assert air_handler.connection == {"address": "127.0.0.1:16100", "device": 2001}


def test_a_lost_file_means_new_keys_and_a_new_password(out: Path, clean_redis: redis.Redis) -> None:
    first = run(out)
    out.unlink()
    second = run(out)
    assert [edge["id"] for edge in second["edges"]] == [edge["id"] for edge in first["edges"]]
    assert second["password"] != first["password"]
    assert all(edge_keys.find(edge["key"]) is None for edge in first["edges"])
    assert all(edge_keys.find(edge["key"]) is not None for edge in second["edges"])
    assert User.objects.get(email="viewer@campo.example").check_password(second["password"])


def test_an_unreadable_file_is_named_with_the_remedy_and_left_alone(out: Path) -> None:
    out.parent.mkdir()
    out.write_text('{"password": 7}')
    with pytest.raises(CommandError, match=r"demo\.json.*remove it"):
        run(out)
    assert out.read_text() == '{"password": 7}'
    assert not Site.objects.exists()


def test_only_its_owner_reads_the_file(out: Path) -> None:
    run(out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_it_is_refused_in_production(out: Path, settings: Settings) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, mode="production")
    with pytest.raises(CommandError, match="production"):
        run(out)
    assert not out.exists()


@pytest.mark.parametrize("options", [{"modbus_port": 70000}, {"poll_interval": 0.0}, {"poll_interval": 1e9}])
def test_an_unreasonable_option_is_refused(out: Path, options: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match="choose from"):
        run(out, **options)


def test_the_poll_interval_is_the_edges(out: Path) -> None:
    run(out, poll_interval=2.5)
    assert {edge.poll_interval for site in Site.objects.all() for edge in site.edges.all()} == {2.5}
