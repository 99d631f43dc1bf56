"""History is what the live site would have said, and the two join without a step."""

from __future__ import annotations

import time

import numpy as np
import pytest
from ems_contract.points import Kind
from ems_simulator.codec import quantize
from ems_simulator.history import readings, site_points
from ems_simulator.live import LiveSite
from ems_simulator.sites import DEMO_SITES, UnknownSiteError, site
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = 1_795_400_000_000 // 60_000 * 60_000
"""A minute in November 2026."""
DAY = 86_400_000


def shown(live: LiveSite) -> dict[str, float]:
    """Every point as its register decodes."""
    return {
        key: float(quantize(point, np.array([live.value(key)]))[0]) for key, point in site_points(live.site).items()
    }


@pytest.mark.parametrize("key", DEMO_SITES)
def test_history_and_the_live_site_say_the_same_at_the_same_second(key: str) -> None:
    live = LiveSite(site(key), NOW - 120_000)
    for ts, values in readings(key, NOW - 120_000, NOW + 120_000, 13_000):
        live.advance(ts)
        assert shown(live) == values


@settings(max_examples=5, deadline=None)
@given(st.sampled_from(DEMO_SITES), st.integers(0, 3), st.integers(0, 5_000_000))
def test_no_register_steps_back_where_history_ends_and_live_begins(key: str, seed: int, pause: int) -> None:
    *_, (_, last) = readings(key, NOW - 7_200_000, NOW, 60_000, seed)
    live = LiveSite(site(key), NOW + pause, seed)
    first = shown(live)
    for name, point in site_points(live.site).items():
        if point.kind is Kind.REGISTER:
            grown = first[name] - last[name]
            # In Wh: what the largest power on any site can bring in that time, and never less than nothing.
            assert 0 <= grown <= 2_000_000 * (pause + 60_000) / 3_600_000 + 1


def test_a_simulator_that_starts_later_says_the_same_as_one_that_ran_on() -> None:
    early, late = LiveSite(site("factory"), NOW), LiveSite(site("factory"), NOW + 5_000_000)
    for ms in range(NOW, NOW + 5_000_001, 97_000):
        early.advance(ms)
    early.advance(NOW + 5_000_000)
    assert shown(early) == shown(late)


def test_thirty_days_of_minutes_take_well_under_three_seconds() -> None:
    began = time.process_time()
    count = sum(1 for _ in readings("factory", NOW - 30 * DAY, NOW))
    assert count == 30 * 1440
    assert time.process_time() - began < 3


def test_it_holds_every_point_but_reads_and_stops_before_the_end() -> None:
    found = list(readings("factory", NOW, NOW + 30_000, 10_000))
    assert [ts for ts, _ in found] == [NOW, NOW + 10_000, NOW + 20_000]
    assert set(found[0][1]) == set(site_points(site("factory")))
    assert len(found[0][1]) == 12 + 7 + 10 + 12 + 9
    assert not any(key.endswith(".reads") for key in found[0][1])


def test_registers_grow_by_the_energy_of_the_power_shown() -> None:
    """Second by second over two hours, to the rounding of one Wh."""
    found = list(readings("solar_farm", NOW - NOW % DAY + 10 * 3_600_000, NOW - NOW % DAY + 12 * 3_600_000, 1000))
    for register, power, sign in (
        ("pv_inverter.energy_total", "pv_inverter.active_power", 1),
        ("grid_meter.energy_export", "grid_meter.active_power", -1),
        ("battery.energy_charged", "battery.active_power", -1),
        ("load_meter.energy_import", "load_meter.active_power", 1),
    ):
        joules = sum(max(0.0, sign * values[power]) for _, values in found[:-1])
        assert found[-1][1][register] - found[0][1][register] == pytest.approx(joules / 3600, abs=1)


def test_the_meters_of_a_long_history_are_replaced_once_a_quarter() -> None:
    quarter = 1_782_864_000_000  # 2026-07-01T00:00Z
    found = list(readings("office", quarter - 3 * DAY, quarter + 150 * DAY, 3 * 3_600_000))
    totals = [values["load_meter.energy_import"] for _, values in found]
    resets = [ts for (ts, _), before, after in zip(found[1:], totals, totals[1:], strict=False) if after < before]
    assert resets == [quarter, 1_790_812_800_000]  # 1 July and 1 October


def test_currents_voltages_and_power_factor_agree_with_the_powers() -> None:
    for _, values in readings("factory", NOW - DAY, NOW, 300_000):
        for meter in ("grid_meter", "load_meter"):
            power, reactive = values[f"{meter}.active_power"], values[f"{meter}.reactive_power"]
            apparent = sum(values[f"{meter}.voltage_l{n}"] * values[f"{meter}.current_l{n}"] for n in (1, 2, 3))
            assert apparent == pytest.approx((power**2 + reactive**2) ** 0.5, rel=1e-5, abs=1)
            assert abs(power) == pytest.approx(apparent * values[f"{meter}.power_factor"], rel=1e-5, abs=1)
        assert values["grid_meter.active_power"] == (
            values["load_meter.active_power"] - values["pv_inverter.active_power"] - values["battery.active_power"]
        )
        volts, amperes = values["battery.voltage"], values["battery.current"]
        assert volts * amperes == pytest.approx(values["battery.active_power"], abs=volts * 0.06)


def test_a_step_that_is_none_and_a_site_that_is_none_are_told() -> None:
    with pytest.raises(ValueError, match="step_ms: 0 is not a step"):
        readings("factory", NOW, NOW + 1, 0)
    with pytest.raises(UnknownSiteError):
        readings("castle", NOW, NOW + 1)
