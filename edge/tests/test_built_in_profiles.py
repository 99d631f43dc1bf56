"""The devices that come with the edge: each file is good, says where its facts are from, and reads what it should."""

from __future__ import annotations

from pathlib import Path

import pytest
from edge_support.devices import Endpoint, Unit, endpoint
from ems_contract.points import Kind, Reason, is_point_key
from ems_edge.decode import Type, decode, encode
from ems_edge.drivers.modbus import ModbusDriver
from ems_edge.drivers.modbus_plan import RegisterSource
from ems_edge.plausibility import is_plausible
from ems_edge.profile import Profiles
from ems_edge.profile_modbus import ModbusProfile

FOLDER = Path(__file__).parents[1] / "src/ems_edge/profiles"
PROFILES = Profiles()
NAMES = PROFILES.names()
OURS = "stl_"
"""SimTestLab's own simulated devices: there is no maker's document."""
MODBUS = [name for name in NAMES if isinstance(PROFILES.get(name), ModbusProfile)]
TYPICAL = {"V": 230.1, "A": 12.5, "Hz": 50.01, "%": 61.5, "°C": 21.4, "": 0.97}
USUAL_UNITS = {"power": "W", "voltage": "V", "current": "A", "frequency": "Hz", "energy": "Wh", "state_of_charge": "%"}


def test_at_least_fifteen_devices_are_known() -> None:
    assert len([name for name in NAMES if not name.startswith(OURS)]) >= 15


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_is_good_and_named_as_its_file(name: str) -> None:
    profile = PROFILES.get(name)
    assert profile.profile == name
    points = profile.contract_points("some_device")
    assert all(is_point_key(point.key) for point in points)
    for point in points:
        word = point.key.partition(".")[2]
        begins = next((unit for first, unit in USUAL_UNITS.items() if word.startswith(first)), None)
        if begins is not None and point.kind is not Kind.STATE and not word.startswith("power_"):
            assert point.unit == begins, point.key
        assert (point.kind is Kind.REGISTER) == (point.unit in ("Wh", "varh", "VAh") and "capacity" not in word) or (
            word == "reads"
        ), point.key


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(OURS)])
def test_a_profile_says_where_its_facts_are_from(name: str) -> None:
    """And one that quotes somebody else does not claim to be verified."""
    profile = PROFILES.get(name)
    assert profile.source
    told = profile.source.casefold()
    assert not (profile.verified and any(words in told for words in ("not read", "as quoted", "as in ")))


def _value(profile: ModbusProfile, source: RegisterSource, unit: str, number: int) -> float:
    """Something that a device in service may say of this point, different for each."""
    point = next(point for point in profile.points if point.key == source.name)
    if point.states:
        return float(sorted(point.states)[number % len(point.states)])
    if source.codec.type is Type.BIT:
        return float(number % 2)
    return TYPICAL.get(unit, 1000.0 + 10 * number) + number % 3


async def _served(names: list[str]) -> tuple[dict[int, Unit], dict[str, dict[str, float]]]:
    units: dict[int, Unit] = {}
    wanted: dict[str, dict[str, float]] = {}
    for number, name in enumerate(names, start=1):
        profile = PROFILES.get(name)
        assert isinstance(profile, ModbusProfile)
        unit, values = Unit(), dict[str, float]()
        for source, point in zip(profile.sources(), profile.points, strict=True):
            words = encode(_value(profile, source, point.unit, len(values)), source.codec)
            table = getattr(unit, source.function)
            for offset, word in enumerate(words):
                address = source.address + offset
                table[address] = table.get(address, 0) | word if source.codec.type is Type.BIT else word
            told = decode(words, source.codec)
            assert not isinstance(told, Reason), (name, source.name)
            assert is_plausible(told, point.unit), (name, source.name)
            values[source.name] = told
        units[number], wanted[name] = unit, values
    return units, wanted


async def test_every_modbus_profile_reads_what_its_device_holds() -> None:
    """From a server that has the profile's registers and no others, in requests that the device takes."""
    units, wanted = await _served(MODBUS)
    async with endpoint(units) as served:
        driver = ModbusDriver()
        for unit, name in enumerate(MODBUS, start=1):
            profile = PROFILES.get(name)
            spec = profile.spec(name, {"host": "127.0.0.1", "port": served.port, "unit": unit, "max_gap": 0}, 1.0)
            assert await driver.device(spec).read() == wanted[name], name
        await driver.close()
        _check_sizes(served)


def _check_sizes(served: Endpoint) -> None:
    for answered in served.answered:
        profile = PROFILES.get(MODBUS[answered.unit - 1])
        assert isinstance(profile, ModbusProfile)
        assert answered.count <= profile.max_words, profile.profile
