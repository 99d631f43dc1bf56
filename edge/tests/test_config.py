"""Bootstrap and configuration files: what is taken, and what a mistake says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ems_contract.provisioning import SessionAnswer
from ems_edge.bootstrap import Backend, check_bootstrap
from ems_edge.config import check_config, check_session
from ems_edge.problems import ConfigError, Document, parse_yaml
from ems_edge.profile import Profiles

KEY = "ems_abc123_thesecretthatnobodysees"
PASSWORD = "another-secret-that-nobody-sees"
STANDALONE: dict[str, Any] = {
    "store": "store",
    "site": "site_1",
    "edge": "edge_1",
    "redis": {"url": "redis://127.0.0.1:6379/0", "username": "edge_1_abc", "password": PASSWORD},
    "config": {
        "revision": "7",
        "poll_interval": 1.0,
        "devices": [
            {
                "key": "grid_meter",
                "name": "Grid meter",
                "driver": "modbus",
                "profile": "stl_meter",
                "connection": {"host": "127.0.0.1", "port": 5020, "unit": 1},
            },
            {
                "key": "battery",
                "name": "Battery",
                "driver": "modbus",
                "profile": "stl_battery",
                "connection": {"host": "127.0.0.1", "port": 5020, "unit": 3},
                "poll_interval": 10,
            },
        ],
    },
}


def _changed(path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(STANDALONE)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inner: Any = data
    for step in steps:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return data


def _read(data: Any, folder: Path) -> Any:
    return check_bootstrap(parse_yaml(yaml.safe_dump(data, sort_keys=False), "edge.yaml"), folder)


def test_a_standalone_file_is_a_session_of_its_own(tmp_path: Path) -> None:
    settings = _read(STANDALONE, tmp_path)
    assert settings.store == tmp_path / "store"
    assert isinstance(settings.source, SessionAnswer)
    plan = check_session(settings.source, settings.profiles, "edge.yaml")
    assert {key: spec.interval for key, (_, spec) in plan.devices.items()} == {"grid_meter": 1.0, "battery": 10.0}
    assert "battery.state_of_charge" in {point.key for point in plan.points}


@pytest.mark.parametrize("how", ["key", "key_file"])
def test_a_backend_file_names_url_key_and_store(tmp_path: Path, how: str) -> None:
    (tmp_path / "edge.key").write_text(KEY + "\n", encoding="utf-8")
    given = KEY if how == "key" else "edge.key"
    settings = _read({"url": "http://127.0.0.1:8000/", how: given, "store": "store"}, tmp_path)
    assert settings.source == Backend("http://127.0.0.1:8000", KEY)
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    ("path", "value", "field", "remedy"),
    [
        ("stroe", "x", "stroe", "did you mean 'store'?"),
        ("site", "site-1", "site", "write site_1"),
        ("edge", "1", "edge", "write edge_1"),
        ("edge", None, "edge", "needs site, edge, redis and config"),
        ("redis.url", "127.0.0.1:6379", "redis.url", "write redis://host:port"),
        ("redis.url", f"redis://me:{PASSWORD}@127.0.0.1/0", "redis.url", "leave them out"),
        ("redis.password", 12345678, "redis.password", "[redacted]"),
        ("redis.password", None, "redis.password", "add it"),
        ("store_limit", 1000, "store_limit", "or more"),
        ("store_days", 0, "store_days", "a number up to"),
        ("store_days", float("nan"), "store_days", "a number up to"),
        ("backfill_rate", 10, "backfill_rate", "or more"),
        ("profiles", "nowhere", "profiles", "directory of your profiles"),
        ("key", KEY, "key", "leave it out"),
        ("url", "http://127.0.0.1:8000", "site", "leave out site"),
        ("config.poll_interval", 0, "config.poll_interval", "0.1 to 3600 seconds"),
        ("config.poll_interval", float("nan"), "config.poll_interval", "0.1 to 3600 seconds"),
        ("config.poll_interval", "often", "config.poll_interval", "'often' stands there"),
        ("config.revision", None, "config.revision", "add it"),
        ("config.devices", {}, "config.devices", "stands there"),
        ("config.devices.0.key", "Grid Meter", "config.devices[0].key", "lower-case"),
        ("config.devices.1.key", "grid_meter", "config.devices[1].key", "its own key"),
        ("config.devices.1.driver", "modbuss", "config.devices[1].driver", "did you mean 'modbus'?"),
        ("config.devices.1.profile", "stl_batery", "config.devices[1].profile", "did you mean 'stl_battery'?"),
        ("config.devices.1.profil", "stl_battery", "config.devices[1].profil", "did you mean 'profile'?"),
        ("config.devices.1.poll_interval", -5, "config.devices[1].poll_interval", "0.1 to 3600 seconds"),
        ("config.devices.1.connection.host", None, "config.devices[1].connection.host", "add it"),
        ("config.devices.1.connection.hots", "x", "config.devices[1].connection.hots", "did you mean 'host'?"),
        ("config.devices.1.connection.port", 99999, "config.devices[1].connection.port", "99999 stands there"),
        ("config.devices.1.connection.unit", 256, "config.devices[1].connection.unit", "256 stands there"),
        ("config.devices.1.connection.timeout", 0, "config.devices[1].connection.timeout", "0 stands there"),
        ("config.devices.1.connection.serial", "/dev/ttyUSB0", "config.devices[1].connection.serial", "one of the two"),
        ("config.devices.1.connection.framer", "rtu", "config.devices[1].connection", "give both the same settings"),
    ],
)
def test_a_mistake_names_file_line_field_and_remedy(
    tmp_path: Path, path: str, value: Any, field: str, remedy: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _read(_changed(path, value), tmp_path)
    error = caught.value
    assert (error.file, error.field) == ("edge.yaml", field)
    assert remedy in error.remedy
    assert error.line is not None
    assert PASSWORD not in str(error)
    assert "12345678" not in str(error)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"store": "store"}, "url"),
        ({"url": "ftp://x", "key": KEY, "store": "s"}, "url"),
        ({"url": f"http://user:{PASSWORD}@x", "key": KEY, "store": "s"}, "url"),
        ({"url": "http://x", "store": "s"}, "key"),
        ({"url": "http://x", "key": KEY, "key_file": "k", "store": "s"}, "key"),
        ({"url": "http://x", "key": "password123", "store": "s"}, "key"),
        ({"url": "http://x", "key": 4711, "store": "s"}, "key"),
        ({"url": "http://x", "key_file": "missing", "store": "s"}, "key_file"),
        ({"url": "http://x", "key": KEY}, "store"),
    ],
)
def test_a_backend_file_that_cannot_work_says_why_without_secrets(tmp_path: Path, data: Any, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _read(data, tmp_path)
    assert caught.value.field == field
    for secret in (KEY, PASSWORD, "password123", "4711"):
        assert secret not in str(caught.value)


def test_a_broken_own_profile_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text("profile: acme\nname: A\ndriver: modbus\npoints:\n  - {key: a}\n")
    data = {"revision": "1", "devices": [{**STANDALONE["config"]["devices"][0], "profile": "acme"}]}
    with pytest.raises(ConfigError) as caught:
        check_config(parse_yaml(yaml.safe_dump(data), "config.yaml"), Profiles(tmp_path))
    assert caught.value.file == str(tmp_path / "acme.yaml")
    assert caught.value.field == "points[0].name"


def test_more_points_than_an_image_can_carry_are_refused() -> None:
    device = STANDALONE["config"]["devices"][0]
    data = {"revision": "1", "devices": [{**device, "key": f"meter_{number}"} for number in range(1500)]}
    with pytest.raises(ConfigError, match="share them between edges"):
        check_config(Document("config.yaml", data), Profiles())


def test_a_point_key_that_would_be_too_long_is_refused(tmp_path: Path) -> None:
    long = "p" * 48
    (tmp_path / "acme.yaml").write_text(
        f"profile: acme\nname: A\ndriver: modbus\npoints:\n"
        f"  - {{key: {long}, name: A, unit: W, address: 0, type: int16}}\n"
    )
    device = {**STANDALONE["config"]["devices"][0], "profile": "acme", "key": "d" * 48}
    with pytest.raises(ConfigError, match="shorten it"):
        check_config(
            parse_yaml(yaml.safe_dump({"revision": "1", "devices": [device]}), "config.yaml"), Profiles(tmp_path)
        )
