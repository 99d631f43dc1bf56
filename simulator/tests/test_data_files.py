"""Sites and register maps are data; a mistake in them is told with file, field and remedy."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from ems_contract.points import is_point_key
from ems_simulator import registers, sites
from ems_simulator.datafile import DataFileError, load
from ems_simulator.history import device_points
from ems_simulator.registers import RegisterMap, register_map
from ems_simulator.sites import DEMO_SITES, UnknownSiteError, site

# From the manuals of the devices: (profile, bank, registers, word order).
MANUALS = {
    "stl_meter": ("big", {(3, 4): 30}),
    "stl_inverter": ("big", {(3,): 13}),
    "stl_battery": ("little", {(3,): 20}),
    "stl_hvac": ("big", {(4,): 14, (3,): 1}),
}


@pytest.mark.parametrize("key", DEMO_SITES)
def test_every_site_loads_and_names_its_points_as_the_contract_wants(key: str) -> None:
    found = site(key)
    assert found.key == key
    units = [device.unit for device in found.devices]
    assert units == sorted(set(units))
    for device in found.devices:
        assert all(is_point_key(f"{device.key}.{name}") for name in device_points(device))


def test_sites_have_the_devices_they_have_data_for() -> None:
    assert [device.key for device in site("factory").devices] == [
        "grid_meter", "pv_inverter", "battery", "load_meter", "hvac",
    ]  # fmt: skip
    assert [device.unit for device in site("solar_farm").devices] == [1, 2, 3, 4]
    assert [device.unit for device in site("warehouse").devices] == [1, 2, 4, 5]
    assert [device.protocol for device in site("office").devices] == ["modbus"] * 4 + ["bacnet"]


@pytest.mark.parametrize("profile", MANUALS)
def test_every_register_map_has_the_size_of_its_manual(profile: str) -> None:
    found = register_map(profile)
    order, banks = MANUALS[profile]
    assert found.word_order == order
    assert {bank.functions: bank.size for bank in found.banks} == banks


def test_an_unknown_site_is_told_with_the_names_there_are() -> None:
    with pytest.raises(UnknownSiteError, match="there is no site 'castle'; choose from factory, office"):
        site("castle")


def broken(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: [", r"broken.yaml: not YAML"),
        ("profile: x\nword_order: middle\nbanks: []", r"broken.yaml: Invalid enum value 'middle' - at `\$.word_order`"),
        ("profile: x\nword_order: big\nbanks: []\ncolour: red", r"unknown field `colour`; correct its spelling"),
        ("profile: x\nword_order: big", r"missing required field `banks`; add it"),
        ("", r"broken.yaml: Expected `object`, got `null`; write what is expected"),
        (
            "profile: x\nword_order: big\nbanks: [{functions: [3], points: [{name: a, address: zero}]}]",
            r"Expected `int`, got `str` - at `\$.banks\[0\].points\[0\].address`",
        ),
    ],
)
def test_a_malformed_register_map_is_told_with_file_and_field(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataFileError, match=message):
        load(broken(tmp_path, text), RegisterMap)


POINT = {"name": "a", "address": 0, "type": "uint16", "unit": "W", "kind": "gauge"}


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], r"m.yaml: banks\[0\].points: there is none; write at least one"),
        ([{**POINT, "address": -1}], r"points.a.address: -1 is no register; use 0 or more"),
        ([POINT, {**POINT, "name": "b"}], r"m.yaml: points.b.address: 0 overlaps the point before; use 1 or more"),
        ([POINT, {**POINT, "address": 1}], r"points.a: the name is used twice"),
        ([{**POINT, "unit": "kW"}], r"points.a.unit: 'kW' is unknown; write one of"),
        ([{**POINT, "scale": 0}], r"points.a.scale: 0.0 is not possible"),
        ([{**POINT, "address": 65_536}], r"points.a.address: 65536 is beyond the last register"),
        ([{**POINT, "sentinel": 65_536}], r"points.a.sentinel: 0x10000 does not fit uint16"),
    ],
)
def test_a_register_map_that_contradicts_itself_is_told(points: list[dict[str, object]], message: str) -> None:
    document = {"profile": "x", "word_order": "big", "banks": [{"functions": [3], "points": points}]}
    with pytest.raises(DataFileError, match=message):
        registers.check(msgspec.convert(document, RegisterMap), "m.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timezone": "Mars/Olympus"}, "s.yaml: timezone: 'Mars/Olympus' is unknown; write an IANA name"),
        ({"latitude": 99.0}, "latitude, longitude: degrees"),
        ({"load": {"weekday": [1.0]}}, "load.weekday: write 24 positive numbers"),
        ({"battery": {"minimum_soc": 99.0}}, "battery.minimum_soc"),
        ({"hvac": {"setpoint": 99.0}}, "hvac.setpoint"),
        ({"hvac": None, "air_handler": True}, "air_handler: there is no hvac"),
    ],
)
def test_a_site_that_contradicts_itself_is_told(change: dict[str, object], message: str) -> None:
    document = msgspec.to_builtins(site("factory"))
    for field, value in change.items():
        document[field] = {**document[field], **value} if isinstance(value, dict) else value
    with pytest.raises(DataFileError, match=message):
        sites.check(msgspec.convert(document, sites.Site), "s.yaml")
