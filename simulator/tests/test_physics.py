"""The invariants of the physics, for any site, seed and instant."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from ems_simulator import sun
from ems_simulator.conditions import during, local_time, wiggle
from ems_simulator.physics import (
    AUTOMATIC,
    COUNTERS,
    Samples,
    Setpoints,
    Span,
    anchor,
    initial_state,
    resume,
    run,
    sample,
    simulate,
)
from ems_simulator.plant import state_of_charge, stored_energy
from ems_simulator.sites import DEMO_SITES, Site, site
from hypothesis import given, settings
from hypothesis import strategies as st

YEAR_2026 = 29_454_240
"""2026-01-01T00:00Z in minutes since the epoch."""
sites = st.sampled_from(DEMO_SITES).map(site)
seeds = st.integers(0, 5)
minutes = st.integers(YEAR_2026, YEAR_2026 + 365 * 1440)
setpoints = st.builds(
    Setpoints,
    battery=st.sampled_from([0, 0, -10_000_000, -50_000, 30_000, 10_000_000]),
    room=st.sampled_from([None, -5.0, 12.0, 28.0]),
)
few = settings(max_examples=25, deadline=None)


def hours(place: Site, seed: int, minute: int, wanted: Setpoints = AUTOMATIC, count: int = 180) -> Span:
    """Some hours from the start of a UTC hour, well inside a UTC day."""
    start = minute - minute % 1440 + minute % 1440 // 240 * 240
    return simulate(place, seed, initial_state(place, start), count, wanted)


def every_second(span: Span) -> Samples:
    return sample(span, np.arange(span.first * 60, (span.first + len(span.hvac)) * 60))


@few
@given(sites, seeds, minutes, setpoints)
def test_the_balance_holds_at_every_second(place: Site, seed: int, minute: int, wanted: Setpoints) -> None:
    seen = every_second(hours(place, seed, minute, wanted, 60))
    charging, discharging = np.maximum(-seen.battery, 0), np.maximum(seen.battery, 0)
    assert (seen.grid == seen.load + charging - seen.pv - discharging).all()
    assert (seen.load >= seen.hvac).all()
    assert (seen.pv >= 0).all()
    assert (seen.hvac >= 0).all()


@few
@given(sites, seeds, minutes, setpoints)
def test_every_counter_is_the_sum_of_its_power_over_the_seconds(
    place: Site, seed: int, minute: int, wanted: Setpoints
) -> None:
    span = hours(place, seed, minute, wanted)
    seen = every_second(span)
    powers = {
        "pv": seen.pv,
        "load": seen.load,
        "hvac": seen.hvac,
        "charged": np.maximum(-seen.battery, 0),
        "discharged": np.maximum(seen.battery, 0),
        "imported": np.maximum(seen.grid, 0),
        "exported": np.maximum(-seen.grid, 0),
    }
    for position, name in enumerate(COUNTERS):
        summed = np.concatenate([[0], np.cumsum(powers[name])])
        assert (seen.energy[name] == summed[:-1]).all(), name
        assert span.end.energy[position] == summed[-1], name
        assert (np.diff(seen.energy[name]) >= 0).all(), name


@few
@given(sites, seeds, minutes, setpoints)
def test_the_state_of_charge_stays_within_its_limits(place: Site, seed: int, minute: int, wanted: Setpoints) -> None:
    if place.battery is None:
        return
    seen = every_second(hours(place, seed, minute, wanted, 240))
    energy = stored_energy(place.battery, seen.energy["charged"].astype(float), seen.energy["discharged"].astype(float))
    soc = state_of_charge(place.battery, energy)
    assert soc.min() >= place.battery.minimum_soc - 1e-9
    assert soc.max() <= place.battery.maximum_soc + 1e-9
    assert np.abs(seen.battery).max() <= place.battery.power_kw * 1000


@few
@given(sites, seeds, minutes)
def test_pv_is_zero_at_night_and_within_the_inverter_by_day(place: Site, seed: int, minute: int) -> None:
    seen = every_second(hours(place, seed, minute, count=240))
    elevation = sun.elevation(place.latitude, place.longitude, seen.seconds)
    assert (seen.pv[elevation < -0.3] == 0).all()
    assert seen.pv.max() <= place.pv.inverter_kw * 1000 * 1.02


@few
@given(sites, seeds, minutes)
def test_within_a_minute_power_wiggles_around_its_mean_exactly(place: Site, seed: int, minute: int) -> None:
    known = during(place, seed, minute - minute % 60, 60)
    seconds = wiggle(seed, known)
    assert (seconds.pv.sum(axis=1) == 60 * known.pv).all()
    assert (seconds.load.sum(axis=1) == 60 * known.load).all()


@few
@given(sites, seeds, minutes, st.integers(1, 3000))
def test_it_does_not_matter_in_how_many_steps_time_passes(place: Site, seed: int, minute: int, first: int) -> None:
    start = initial_state(place, minute)
    at_once = run(place, seed, start, minute + 3000)
    in_two = run(place, seed, run(place, seed, start, minute + first), minute + 3000)
    assert at_once == in_two


@few
@given(sites, seeds, minutes, st.integers(0, 59), setpoints)
def test_a_new_setpoint_within_a_minute_leaves_every_counter_continuous(
    place: Site, seed: int, minute: int, second: int, wanted: Setpoints
) -> None:
    span = simulate(place, seed, initial_state(place, minute), 1)
    at = minute * 60 + second
    anew = resume(span, at, wanted)
    before, after = sample(span, np.array([at])), sample(anew, np.arange(at, minute * 60 + 60))
    assert {name: int(joules[0]) for name, joules in after.energy.items()} == {
        name: int(joules[0]) for name, joules in before.energy.items()
    }
    assert after.room[0] == pytest.approx(before.room[0])
    net = after.load - after.pv - after.battery
    assert (after.grid == net).all()
    ended = dict(zip(COUNTERS, anew.end.energy, strict=True))
    assert ended["imported"] == int(after.energy["imported"][0]) + int(np.maximum(after.grid, 0).sum())
    assert ended["exported"] == int(after.energy["exported"][0]) + int(np.maximum(-after.grid, 0).sum())
    if place.battery:
        cells = stored_energy(place.battery, ended["charged"], ended["discharged"])
        soc = state_of_charge(place.battery, cells)
        assert place.battery.minimum_soc - 1e-9 <= soc <= place.battery.maximum_soc + 1e-9


def test_the_same_seed_gives_the_same_site_and_another_seed_another() -> None:
    place = site("factory")
    start = initial_state(place, YEAR_2026)
    assert run(place, 1, start, YEAR_2026 + 600) == run(place, 1, start, YEAR_2026 + 600)
    assert run(place, 1, start, YEAR_2026 + 600) != run(place, 2, start, YEAR_2026 + 600)


def minute_of(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp()) // 60


def test_load_follows_the_local_clock_through_both_dst_changes() -> None:
    """The shift starts at six in Berlin, whatever that is in UTC."""
    place = site("factory")
    for day, utc_hour in (("2026-03-27", 5), ("2026-03-30", 4), ("2026-10-23", 4), ("2026-10-26", 5)):
        known = during(place, 1, minute_of(f"{day}T00:00:00Z"), 1440)
        rise = known.load[utc_hour * 60 : utc_hour * 60 + 60].mean() / known.load[(utc_hour - 2) * 60]
        assert rise > 3, day
        assert known.load[(utc_hour - 2) * 60] < 80_000, day


@pytest.mark.parametrize(
    ("key", "midnight", "hours_of_day"),
    [
        ("factory", "2026-03-29T00:00:00+01:00", 23),
        ("office", "2026-10-25T00:00:00+01:00", 25),
        ("solar_farm", "2026-03-29T00:00:00+01:00", 23),
        ("warehouse", "2026-11-01T00:00:00-05:00", 25),
    ],
)
def test_a_day_with_a_dst_change_has_23_or_25_hours(key: str, midnight: str, hours_of_day: int) -> None:
    place = site(key)
    start = minute_of(midnight)
    seconds = np.arange(start * 60, start * 60 + hours_of_day * 3600, 60)
    local = local_time(place.timezone, seconds)
    assert len(set(local.weekday.tolist())) == 1
    assert local.hour[0] == 0
    assert local.hour[-1] == pytest.approx(24 - 1 / 60)
    assert local_time(place.timezone, seconds[-1:] + 60).weekday[0] != local.weekday[0]


def test_sundays_and_nights_are_quiet() -> None:
    place = site("factory")
    monday = during(place, 1, minute_of("2026-06-22T00:00:00Z"), 1440)
    sunday = during(place, 1, minute_of("2026-06-21T00:00:00Z"), 1440)
    assert monday.load[480:540].mean() > 4 * sunday.load[480:540].mean()
    assert monday.load[480:540].mean() > 4 * monday.load[60:120].mean()


def test_the_rooms_follow_their_setpoint_and_the_cold_store_stays_cold() -> None:
    for key, low, high in (("office", 19, 24), ("warehouse", 1, 6)):
        place = site(key)
        start = minute_of("2026-06-24T00:00:00Z") - 4 * 1440
        state = run(place, 1, initial_state(place, start), minute_of("2026-06-24T12:00:00Z"))
        rooms = simulate(place, 1, state, 240).room
        assert low < rooms.min(), key
        assert rooms.max() < high, key


@given(st.integers(YEAR_2026 * 60, (YEAR_2026 + 800 * 1440) * 60))
def test_meters_are_installed_between_45_and_140_days_before(second: int) -> None:
    days = (second // 60 - anchor(second)) / 1440
    assert 45 <= days <= 140
    assert anchor(second) == anchor(anchor(second) * 60 + 45 * 86_400)


def test_physics_does_not_run_backwards() -> None:
    place = site("office")
    with pytest.raises(ValueError, match="forward only"):
        run(place, 1, initial_state(place, YEAR_2026), YEAR_2026 - 1)
