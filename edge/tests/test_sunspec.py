"""A SunSpec device is read by what it says of itself: where its models are, and how its numbers are scaled."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from edge_support.devices import Endpoint, Unit, endpoint, meter
from edge_support.sunspec import inverter, sunspec_unit
from ems_contract.points import Reason
from ems_edge.decode import Scaling
from ems_edge.driver import DeviceSpec, WritableDevice, WriteError
from ems_edge.drivers import make_drivers
from ems_edge.drivers.modbus import ModbusDriver
from ems_edge.drivers.sunspec import SunSpecSource
from ems_edge.drivers.sunspec_models import model, place, places
from ems_edge.drivers.sunspec_scan import scan, survey
from ems_edge.problems import ConfigError, parse_yaml
from ems_edge.profile import Profiles, check_profile
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

INVERTERS = (101, 102, 103, 111, 112, 113)


def source(path: str, *models: int, **more: Any) -> SunSpecSource:
    return SunSpecSource(path, models or INVERTERS, path, Scaling(**more.pop("scaling", {})), **more)


POINTS = tuple(map(source, ("W", "A", "Hz", "WH", "PF", "TmpCab", "TmpSnk", "St", "PhVphA")))
VALUES = {"W": 4321, "A": 18.7, "Hz": 50.01, "WH": 1234560, "PF": -99.8, "TmpCab": -5.2, "St": 4, "PhVphA": 230.1}
VALUES["TmpSnk"] = Reason.NO_VALUE  # type: ignore[assignment]
LIMIT = source("WMaxLimPct", 123, 704, writable=True, enable="WMaxLim_Ena")


@contextlib.asynccontextmanager
async def served(
    unit: Unit, *points: SunSpecSource, **connection: Any
) -> AsyncIterator[tuple[WritableDevice, Endpoint]]:
    async with endpoint({1: unit}) as place:
        made = ModbusDriver()
        where = {"host": "127.0.0.1", "port": place.port, "timeout": 1.0, **connection}
        device = made.device(DeviceSpec("pv", where, 1.0, points or POINTS))
        assert isinstance(device, WritableDevice)
        yield device, place
        await made.close()


@pytest.mark.parametrize("base", [40000, 0, 50000])
async def test_values_come_scaled_from_wherever_the_device_keeps_them(base: int) -> None:
    unit = inverter()
    unit.holding = {address - 40000 + base: word for address, word in unit.holding.items()}
    async with served(unit) as (device, _):
        assert await device.read() == VALUES


async def test_models_that_would_lie_behind_the_last_register_are_none() -> None:
    unit = inverter()
    unit.holding |= {40003: 65_530 - 40_004, 65_530: 103, 65_531: 50}
    async with served(unit) as (device, place):
        assert set((await device.read()).values()) == {Reason.NO_VALUE}
        where = {"host": "127.0.0.1", "port": place.port}
        assert [one.says["models"] async for one in scan(where)] == ["1"]
        assert not (await survey(where)).models  # the first one has less than it says


async def test_a_survey_of_a_device_that_falls_silent_is_an_error_of_the_network() -> None:
    async with endpoint({}) as place:
        with pytest.raises(OSError, match="no answer"):
            await survey({"host": "127.0.0.1", "port": place.port, "timeout": 0.1})


async def test_once_it_is_walked_a_device_is_read_with_one_request() -> None:
    async with served(inverter(), *POINTS, LIMIT) as (device, place):
        await device.read()
        walked = len(place.answered)
        assert await device.read() == {**VALUES, "WMaxLimPct": 100.0}
        assert len(place.answered) - walked == 1


async def test_a_scale_factor_that_the_device_changes_is_followed() -> None:
    unit = inverter()
    async with served(unit) as (device, _):
        assert (await device.read())["W"] == 4321
        factor = _address(unit, 103) + place(103, "W").factor  # type: ignore[operator]
        unit.holding[factor] = 2
        assert (await device.read())["W"] == 432_100
        unit.holding[factor] = 0x8000
        assert (await device.read())["W"] is Reason.NO_VALUE
        unit.holding[factor] = 99
        assert (await device.read())["W"] is Reason.GARBLED


async def test_the_first_of_the_models_that_is_there_is_taken() -> None:
    unit = sunspec_unit((1, {}), (113, {"W": 512.5, "Hz": 50.0}), (2, {}))
    async with served(unit, source("W"), source("Hz"), source("WMaxLimPct", 123)) as (device, _):
        assert await device.read() == {"W": 512.5, "Hz": 50.0, "WMaxLimPct": Reason.NO_VALUE}


async def test_points_of_a_repeated_group_are_counted_from_one() -> None:
    points = [source(f"module[{number}].DC{kind}", 160) for number in (1, 2, 3) for kind in "AW"]
    async with served(inverter(), *points) as (device, _):
        assert await device.read() == {
            "module[1].DCA": 5.12,
            "module[1].DCW": 3070,
            "module[2].DCA": 4.98,
            "module[2].DCW": 2940,
            "module[3].DCA": Reason.NO_VALUE,
            "module[3].DCW": Reason.NO_VALUE,
        }


async def test_the_profiles_scaling_and_limits_come_after_the_devices() -> None:
    points = (
        source("W", scaling={"scale": -1.0}),
        source("Hz", scaling={"maximum": 50.0}),
        source("St", scaling={"states": frozenset({1, 2})}),
    )
    async with served(inverter(), *points) as (device, _):
        assert await device.read() == {"W": -4321, "Hz": Reason.OUT_OF_RANGE, "St": Reason.OUT_OF_RANGE}


async def test_models_that_have_moved_are_not_misread() -> None:
    """New firmware: a model more, and everything behind it elsewhere."""
    unit = inverter()
    async with served(unit) as (device, _):
        assert await device.read() == VALUES
        unit.holding = sunspec_unit((1, {}), (2, {}), (103, {"W": 7, "W_SF": 1})).holding
        moved = await device.read()
        assert {value for value in moved.values() if not isinstance(value, Reason)} == set()
        assert (await device.read())["W"] == 70


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        (Unit(holding=dict.fromkeys(range(40000, 40100), 5)), Reason.DEVICE_EXCEPTION),
        (Unit(holding=dict.fromkeys((*range(100), *range(40000, 40100), *range(50000, 50100)), 5)), Reason.GARBLED),
        (Unit(silent=True), Reason.TIMEOUT),
        (sunspec_unit((103, {}), end=False), Reason.NO_VALUE),
    ],
)
async def test_what_speaks_no_sunspec_has_its_reason(unit: Unit, reason: Reason) -> None:
    async with served(unit, source("W"), timeout=0.2) as (device, _):
        assert await device.read() == {"W": reason}
        assert await device.read() == {"W": reason}


async def test_a_device_that_takes_long_is_walked_over_several_reads() -> None:
    unit = inverter(delay=0.06)
    async with served(unit, source("W"), timeout=0.15) as (device, _):
        for _ in range(10):
            if (await device.read())["W"] == 4321:
                return
    raise AssertionError("it never got to the end")


async def test_a_unit_of_each_kind_shares_the_line() -> None:
    async with endpoint({1: inverter(), 2: meter(55.0)}) as place:
        drivers = make_drivers({"modbus", "sunspec"})
        where = {"host": "127.0.0.1", "port": place.port}
        pv = drivers["sunspec"].device(DeviceSpec("pv", where, 1.0, POINTS))
        grid = drivers["modbus"].device(Profiles().get("stl_meter").spec("grid", {**where, "unit": 2}, 1.0))
        first, second = await asyncio.gather(pv.read(), grid.read())
        assert (first["W"], second["active_power"]) == (4321, 55.0)
        assert place.connections == 1
        await drivers["modbus"].close()


async def test_a_setpoint_is_written_switched_on_and_given_up() -> None:
    unit = inverter()
    async with served(unit, LIMIT) as (device, _):
        limit, switch = (_address(unit, 123) + place(123, path).offset for path in ("WMaxLimPct", "WMaxLim_Ena"))
        await device.write("WMaxLimPct", 62.5)
        assert (unit.holding[limit], unit.holding[switch]) == (6250, 1)
        assert await device.read_back("WMaxLimPct") == 62.5
        await device.write("WMaxLimPct", None)
        assert (unit.holding[limit], unit.holding[switch]) == (6250, 0)


async def test_a_write_scales_by_what_the_device_says_just_then() -> None:
    unit = inverter()
    async with served(unit, LIMIT) as (device, _):
        await device.read()
        at = _address(unit, 123)
        unit.holding[at + place(123, "WMaxLimPct").factor] = 0  # type: ignore[operator]
        await device.write("WMaxLimPct", 62.0)
        assert unit.holding[at + place(123, "WMaxLimPct").offset] == 62


async def test_nothing_is_written_where_a_model_was() -> None:
    unit = inverter()
    async with served(unit, LIMIT) as (device, _):
        await device.read()
        unit.holding = sunspec_unit((1, {}), (2, {}), *[(103, {})] * 3).holding
        before = dict(unit.holding)
        with pytest.raises(WriteError, match="no longer where it was"):
            await device.write("WMaxLimPct", 50.0)
        with pytest.raises(WriteError, match="the device has no model"):
            await device.write("WMaxLimPct", 50.0)
        assert unit.holding == before


async def test_what_cannot_be_written_says_why() -> None:
    async with served(sunspec_unit((1, {}), (103, {})), LIMIT, source("W"), source("Conn", 123, writable=True)) as (
        device,
        _,
    ):
        with pytest.raises(WriteError, match="the device has no model 123 or 704") as caught:
            await device.write("WMaxLimPct", 50.0)
        assert caught.value.refused
        with pytest.raises(WriteError, match="nothing that switches it off"):
            await device.write("Conn", None)
        with pytest.raises(ValueError, match="cannot be written"):
            await device.write("W", 50.0)
    async with served(inverter(), LIMIT) as (device, _):
        for value in (math.inf, 700.0, 655.35):  # the last one would say "not implemented"
            with pytest.raises(ValueError, match=r"not|none"):
                await device.write("WMaxLimPct", value)


async def test_another_implementation_reads_the_same() -> None:
    """pysunspec2's own client, point by point, over the same socket."""
    unit = inverter()
    async with endpoint({1: unit}) as served_at:
        theirs = await asyncio.to_thread(_read_by_pysunspec2, served_at.port)
        points = tuple(SunSpecSource(f"{number}.{path}", (number,), path, Scaling()) for number, path in theirs)
        made = ModbusDriver()
        device = made.device(DeviceSpec("pv", {"host": "127.0.0.1", "port": served_at.port}, 1.0, points))
        ours = await device.read()
        await made.close()
    assert len(theirs) > 90
    differing = {}
    for (number, path), value in theirs.items():
        mine = ours[f"{number}.{path}"]
        same = mine is Reason.NO_VALUE if value is None else mine == pytest.approx(value, rel=1e-12)
        if not same:
            differing[number, path] = (mine, value)
    assert differing == {}


def test_every_model_can_be_laid_out() -> None:
    """The core points of those that matter, and no surprise in any."""
    for number in (*INVERTERS, 120, 121, 122, 123, 124, 160, *range(201, 205), *range(211, 215), *range(701, 715), 802):
        found = model(number)
        assert found is not None
        assert len(list(places(number, 500))) > 5
    assert place(805, "lithium-ion-module-cell[1].CellV").point.units == "V"
    assert place(714, "Prt[2].DCW").offset - place(714, "Prt[1].DCW").offset == 25


@pytest.mark.parametrize(
    ("number", "path", "problem"),
    [
        (103, "Ww", "has no point"),
        (99, "W", "no model 99"),
        (1, "Mn", "no number"),
        (160, "string[1].DCW", "no group 'string'; use one of module"),
        (160, "module[0].DCW", "counted from 1"),
        (705, "Crv[2].Pri", "only the device knows"),
        (103, "", "has no point"),
    ],
)
def test_a_point_that_is_not_there_is_named(number: int, path: str, problem: str) -> None:
    with pytest.raises(LookupError, match=problem.replace("[", r"\[")):
        place(number, path)


PROFILE = """\
profile: acme_inverter
name: ACME inverter
driver: sunspec
points:
  - {key: active_power, name: Active power, unit: W, models: [101, 103], point: W}
  - key: power_limit
    name: Power limit
    unit: "%"
    models: [123]
    point: WMaxLimPct
    enable: WMaxLim_Ena
    writable: true
    minimum: 0
    maximum: 100
"""


def test_a_profile_names_models_and_points() -> None:
    profile = check_profile(parse_yaml(PROFILE, "acme.yaml"))
    power, limit = profile.sources()
    assert power == SunSpecSource("active_power", (101, 103), "W", Scaling())
    assert limit.name == "power_limit"
    assert [point.writable for point in profile.contract_points("pv")] == [False, True]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "remedy"),
    [
        ("point: W}", "point: Wh}", 5, "points[0].point", "did you mean 'W'?"),
        ("[101, 103]", "[]", 5, "points[0].models", "[101, 103]"),
        ("[101, 103]", "[101, 99]", 5, "points[0].point", "such as 103"),
        ("point: W}", "point: W, writable: true}", 5, "points[0].writable", "a setpoint of a control model"),
        ("point: W}", "point: W, enable: Conn}", 5, "points[0].enable", "leave it out"),
        ("enable: WMaxLim_Ena", "enable: WMaxLimEna", 11, "points[1].enable", "did you mean 'WMaxLim_Ena'?"),
        ("models: [123]", "model: 123", 9, "points[1].model", "did you mean 'models'?"),
    ],
)
def test_a_mistake_in_a_profile_names_its_remedy(old: str, new: str, line: int, field: str, remedy: str) -> None:
    assert old in PROFILE
    with pytest.raises(ConfigError) as caught:
        check_profile(parse_yaml(PROFILE.replace(old, new), "acme.yaml"))
    assert (caught.value.line, caught.value.field) == (line, field)
    assert remedy in caught.value.remedy


def _address(unit: Unit, wanted: int) -> int:
    at = 40002
    while unit.holding[at] != wanted:
        at += 2 + unit.holding[at + 1]
    return at


def _read_by_pysunspec2(port: int) -> dict[tuple[int, str], float | None]:
    device = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port)
    try:
        device.scan()
        found: dict[tuple[int, str], float | None] = {}
        for one in device.model_list:
            names = {place.path for place in places(one.model_id, one.model_len)}
            for name, point in one.points.items():
                if name in names:
                    found[one.model_id, name] = point.cvalue
            for group in one.groups.values():
                for index, inner in enumerate(group if isinstance(group, list) else [group], start=1):
                    for name, point in inner.points.items():
                        path = f"{inner.gdef['name']}[{index}].{name}"
                        if path in names:
                            found[one.model_id, path] = point.cvalue
        return found
    finally:
        device.close()
