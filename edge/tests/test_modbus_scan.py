"""Who answers on a line or in a network, and what a SunSpec device makes of itself."""

from __future__ import annotations

import time
from typing import Any

import pytest
from edge_support.devices import Unit, endpoint, meter
from edge_support.serial_line import serial_line
from edge_support.sunspec import inverter, sunspec_unit
from edge_support.waiting import free_port
from ems_edge.driver import Found
from ems_edge.drivers import modbus_scan, sunspec_scan
from ems_edge.drivers.modbus import ModbusDriver
from ems_edge.drivers.modbus_scan import scan
from ems_edge.drivers.sunspec_profile import make_profile
from ems_edge.problems import parse_yaml
from ems_edge.profile import check_profile

IDENTITY = b"\x2b\x0e\x01\x01\x00\x00\x03" + b"\x00\x04ACME" + b"\x01\x03M-7" + b"\x02\x031.0"


async def found(connection: dict[str, Any], *units: int, hosts: tuple[str, ...] = ()) -> list[Found]:
    return [one async for one in scan({"timeout": 0.1, **connection}, units, hosts)]


async def test_the_units_that_answer_are_found_an_exception_is_an_answer() -> None:
    async with endpoint({2: meter(), 5: Unit(), 6: Unit(silent=True), 7: Unit(exception=11)}) as served:
        answers = await found({"host": "127.0.0.1", "port": served.port}, *range(1, 9))
    assert [one.connection["unit"] for one in answers] == [2, 5]
    assert answers[0].connection == {"host": "127.0.0.1", "port": served.port, "unit": 2, "timeout": 0.1}
    assert answers[0].name == "unit 2"


async def test_what_a_unit_calls_itself_is_told() -> None:
    async with endpoint({1: Unit(identity=IDENTITY)}) as served:
        (one,) = await found({"host": "127.0.0.1", "port": served.port}, 1)
    assert one.name == "ACME M-7"
    assert one.says == {"vendor": "ACME", "product": "M-7", "version": "1.0"}


async def test_a_serial_line_is_scanned_unit_by_unit() -> None:
    async with serial_line({3: Unit(identity=IDENTITY), 4: meter()}) as line:
        answers = await found({"serial": line.path, "parity": "none"}, 1, 2, 3, 4)
    assert [(one.name, one.connection["unit"]) for one in answers] == [("ACME M-7", 3), ("unit 4", 4)]
    assert answers[0].connection["parity"] == "none"
    assert "host" not in answers[0].connection


async def test_many_hosts_are_asked_at_once_and_silent_ones_cost_one_wait() -> None:
    async with endpoint({1: meter()}) as served:
        started = time.monotonic()
        answers = await found({"port": served.port}, *range(1, 5), hosts=("127.0.0.1", "192.0.2.0/28", "192.0.2.20-30"))
    assert [one.connection["host"] for one in answers] == ["127.0.0.1"]
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("hosts", ["10.0.0.9-3", "10.0.0.5-300", "10.0.0.0/33", "10.0.0.0/8"])
async def test_hosts_that_cannot_be_are_refused(hosts: str) -> None:
    with pytest.raises(ValueError, match=r"hosts: '10"):
        await found({}, 1, hosts=(hosts,))


async def test_a_line_that_is_not_there_has_no_units() -> None:
    assert await found({"serial": "/dev/nothing"}, 1, 2) == []
    assert await found({"host": "127.0.0.1", "port": free_port()}, 1, 2) == []


async def test_a_sunspec_device_tells_its_names_and_models() -> None:
    async with endpoint({1: inverter(), 2: meter(), 3: sunspec_unit((1, {"Mn": "B"}), (203, {}))}) as served:
        given = {"host": "127.0.0.1", "port": served.port, "timeout": 0.3}
        devices = [one async for one in sunspec_scan.scan(given, (1, 2, 3, 4))]
    assert [(one.name, one.connection["unit"]) for one in devices] == [("ACME Sun 10", 1), ("B", 3)]
    assert devices[0].says == {
        "maker": "ACME",
        "device": "Sun 10",
        "version": "1.2",
        "serial": "S-77",
        "models": "1, 103, 120, 123, 160",
    }


async def test_the_profile_that_a_device_makes_of_itself_reads_it() -> None:
    async with endpoint({1: inverter()}) as served:
        where = {"host": "127.0.0.1", "port": served.port}
        text = make_profile("acme_sun_10", await sunspec_scan.survey(where))
        profile = check_profile(parse_yaml(text, "acme_sun_10.yaml"))
        made = ModbusDriver()
        values = await made.device(profile.spec("pv", where, 1.0)).read()
        await made.close()
    assert profile.name == "ACME Sun 10"
    points = {point.key: point for point in profile.contract_points("pv")}
    assert values["active_power"] == 4321
    assert values["dc_power_2"] == 2940
    assert values["temperature"] == -5.2
    assert "pv.tmp_snk" not in points, "what is not implemented is no point"
    assert points["pv.energy_total"].kind == "register"
    assert points["pv.status"].states is not None
    assert points["pv.status"].states["4"] == "mppt"
    limit = next(point for point in points.values() if point.writable and point.maximum == 100)
    assert limit.unit == "%"
    assert all(isinstance(value, float) for value in values.values()), values


def test_a_range_and_a_network_are_addresses() -> None:
    lines = modbus_scan.each({"port": 502}, ("10.0.0.5-7", "10.1.0.0/30", "meter.local"), modbus_scan.Connection)
    assert [line.host for line in lines] == ["10.0.0.5", "10.0.0.6", "10.0.0.7", "10.1.0.1", "10.1.0.2", "meter.local"]
