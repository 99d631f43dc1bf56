"""The live site: forward only, and open to setpoints."""

from __future__ import annotations

import pytest
from ems_simulator.live import LiveSite
from ems_simulator.sites import site

START = 1_782_302_400_000


def live(key: str = "factory") -> LiveSite:
    return LiveSite(site(key), START, installed=START // 60_000 - 600)


def test_time_in_the_past_changes_nothing() -> None:
    factory = live()
    factory.advance(START + 90_000)
    value = factory.value("grid_meter.energy_import")
    factory.advance(START)
    assert factory.second == START // 1000 + 90
    assert factory.value("grid_meter.energy_import") == value


@pytest.mark.parametrize("second", [0, 17, 58, 59])
def test_a_battery_setpoint_acts_from_the_next_second_and_lasts(second: int) -> None:
    factory = live()
    factory.advance(START + second * 1000)
    before = factory.value("battery.active_power")
    factory.set_battery(42_000)
    assert factory.value("battery.power_setpoint") == 42_000
    assert factory.value("battery.active_power") == before
    factory.advance(START + second * 1000 + 1000)
    assert factory.value("battery.active_power") == 42_000
    balance = factory.value("load_meter.active_power") - factory.value("pv_inverter.active_power") - 42_000
    assert factory.value("grid_meter.active_power") == balance
    factory.advance(START + 600_000)
    assert factory.value("battery.active_power") == 42_000
    factory.set_battery(0)
    factory.advance(START + 900_000)
    assert factory.value("battery.active_power") != 42_000


def test_the_counters_follow_a_setpoint_to_the_second() -> None:
    factory = live()
    factory.advance(START + 20_000)
    factory.set_battery(-36_000)
    factory.advance(START + 21_000)
    before = factory.value("battery.energy_charged")
    factory.advance(START + 121_000)
    assert factory.value("battery.energy_charged") - before == 1000  # 36 kW for 100 s


def test_a_forced_discharge_ends_at_the_lowest_state_of_charge() -> None:
    factory = live()
    factory.set_battery(200_000)
    factory.advance(START + 4 * 3_600_000)
    battery = factory.site.battery
    assert battery is not None
    assert factory.value("battery.state_of_charge") == pytest.approx(battery.minimum_soc, abs=0.01)
    assert factory.value("battery.active_power") == 0
    assert factory.value("battery.power_setpoint") == 200_000


def test_a_temperature_setpoint_moves_the_room_and_the_load() -> None:
    warm, usual = live("office"), live("office")
    warm.advance(START + 5_000)
    usual.advance(START + 5_000)
    warm.set_room(15.0)
    assert warm.value("hvac.temperature_setpoint") == 15.0
    warm.advance(START + 6_000)
    usual.advance(START + 6_000)
    assert warm.value("hvac.status") == 2
    assert warm.value("hvac.active_power") > usual.value("hvac.active_power")
    extra = warm.value("hvac.active_power") - usual.value("hvac.active_power")
    assert warm.value("load_meter.active_power") - usual.value("load_meter.active_power") == extra
    for office in (warm, usual):
        office.advance(START + 2 * 3_600_000)
    assert warm.value("hvac.room_temperature") < usual.value("hvac.room_temperature") - 2
