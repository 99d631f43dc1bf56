"""The physics of a site: exact, seeded, stepped a minute at a time; no I/O and no clock.

At every second `grid = load + charging - PV - discharging` in whole watts, and every counter is the sum of its
power over the seconds, in whole joules. The battery and the HVAC unit decide once a minute, from the minute
before, and hold; load and PV wiggle within it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ems_simulator.conditions import MINUTES_PER_DAY, Conditions, bound, during, wiggle
from ems_simulator.noise import Floats, Ints
from ems_simulator.plant import OFF, battery_power, hvac_step, stored_energy, without_power
from ems_simulator.sites import Site

DEFAULT_SEED = 1
COUNTERS = ("pv", "load", "hvac", "charged", "discharged", "imported", "exported")
SETTLING_DAYS = 45


def anchor(second: int) -> int:
    """The minute at which the meters of a site were installed: where a run that starts at `second` begins to count.

    It is the first day of a quarter, UTC, at least 45 days back, so that a history generated today and a simulator
    started today count from the same instant and agree to the joule. A run started in a later quarter finds
    new meters; counting from the same day for ever would make every start slower than the one before.
    """
    return quarter(second - SETTLING_DAYS * 86_400)


def quarter(second: int) -> int:
    """The minute in which the quarter of the year began, UTC."""
    day = dt.datetime.fromtimestamp(second, dt.UTC)
    return int(dt.datetime(day.year, day.month - (day.month - 1) % 3, 1, tzinfo=dt.UTC).timestamp()) // 60


@dataclass(frozen=True, slots=True)
class Setpoints:
    """What was written to the site. `battery` in W, + is discharge, 0 is automatic; `room` in °C, None the default.

    With `hvac_off` the HVAC unit stands still, whatever the rooms need.
    """

    battery: int = 0
    room: float | None = None
    hvac_off: bool = False


AUTOMATIC = Setpoints()


@dataclass(frozen=True, slots=True)
class State:
    """All that the physics remembers at the start of a minute. `energy` in J by COUNTERS; `net` is the mean of
    load - PV in the minute before, W."""

    minute: int
    room: float
    net: float = 0.0
    energy: tuple[int, ...] = (0,) * len(COUNTERS)


def initial_state(site: Site, minute: int) -> State:
    """A site at the moment its meters are installed."""
    return State(minute, site.hvac.setpoint if site.hvac else 20.0)


@dataclass(frozen=True, slots=True)
class Span:
    """Some minutes of a site. Arrays have one entry for each minute; `room` and `energy` are those at its start
    and have one more entry, for the end."""

    site: Site
    seed: int
    first: int
    conditions: Conditions
    hvac: Ints
    hvac_mode: Ints
    hvac_level: Floats
    battery: Ints
    room: Floats
    energy: Ints  # (minutes + 1, counters)

    @property
    def end(self) -> State:
        """The state that follows the last minute."""
        net = float(self.conditions.load[-1] + self.hvac[-1] - self.conditions.pv[-1])
        minute = self.first + len(self.hvac)
        return State(minute, float(self.room[-1]), net, tuple(int(joules) for joules in self.energy[-1]))


class _Decisions(NamedTuple):
    hvac: Ints
    mode: Ints
    level: Floats
    battery: Ints
    room: Floats


def simulate(site: Site, seed: int, state: State, count: int, setpoints: Setpoints = AUTOMATIC) -> Span:
    """`count` whole minutes from `state`, all in one UTC day."""
    conditions = during(site, seed, state.minute, count)
    made = _decide(site, conditions, state, setpoints, 60)
    return Span(
        site=site,
        seed=seed,
        first=state.minute,
        conditions=conditions,
        hvac=made.hvac,
        hvac_mode=made.mode,
        hvac_level=made.level,
        battery=made.battery,
        room=made.room,
        energy=_integrate(seed, conditions, made, state.energy),
    )


def run(site: Site, seed: int, state: State, until: int, setpoints: Setpoints = AUTOMATIC) -> State:
    """The state at minute `until`. Raises ValueError when that is in the past."""
    if until < state.minute:
        raise ValueError(f"minute {until} is before minute {state.minute}; physics runs forward only")
    while state.minute < until:
        state = simulate(site, seed, state, min(left_today(state.minute), until - state.minute), setpoints).end
    return state


def left_today(minute: int) -> int:
    """Minutes to the end of the UTC day."""
    return MINUTES_PER_DAY - minute % MINUTES_PER_DAY


def _decide(site: Site, conditions: Conditions, state: State, setpoints: Setpoints, seconds: int) -> _Decisions:
    """The steps that need memory, one minute after the other. `seconds` is how long each decision holds."""
    battery, hvac = site.battery, site.hvac
    load, pv = conditions.load.tolist(), conditions.pv.tolist()
    outdoor, gains, occupied = conditions.outdoor.tolist(), conditions.gains.tolist(), conditions.occupied.tolist()
    trade = conditions.trade.tolist()
    powers, modes, levels, batteries, rooms = [], [], [], [], [state.room]
    power, mode, level, discharge, room, net = 0, OFF, 0.0, 0, state.room, state.net
    setpoint = 0.0 if hvac is None else hvac.setpoint if setpoints.room is None else setpoints.room
    if setpoints.hvac_off:
        occupied = [False] * len(load)
        hvac = hvac and without_power(hvac)
    charged, discharged = state.energy[3], state.energy[4]
    for i in range(len(load)):
        if hvac is not None:
            power, mode, level, room = hvac_step(hvac, room, outdoor[i], gains[i], occupied[i], setpoint, seconds)
            powers.append(power)
            modes.append(mode)
            levels.append(level)
            rooms.append(room)
        if battery is not None:
            wanted = setpoints.battery or (trade[i] if trade[i] < 0.0 else net + trade[i])
            discharge = battery_power(battery, stored_energy(battery, charged, discharged), wanted, seconds)
            batteries.append(discharge)
            if discharge > 0:
                discharged += discharge * seconds
            else:
                charged -= discharge * seconds
            net = load[i] + power - pv[i]
    still: Ints = np.zeros(len(load), np.int64)
    return _Decisions(
        hvac=np.array(powers, np.int64) if hvac else still,
        mode=np.array(modes, np.int64) if hvac else still,
        level=np.array(levels) if hvac else still.astype(np.float64),
        battery=np.array(batteries, np.int64) if battery else still,
        room=np.array(rooms) if hvac else np.full(len(load) + 1, state.room),
    )


def _integrate(seed: int, conditions: Conditions, made: _Decisions, start: tuple[int, ...]) -> Ints:
    """Counters at the start of each minute and at the end, J."""
    load = conditions.load + made.hvac
    net = load - conditions.pv - made.battery
    imported = 60 * np.maximum(net, 0)
    # Where the grid's power may change sign within the minute, look at each of its seconds.
    mixed = np.nonzero(np.abs(net) < bound(conditions))[0]
    if len(mixed):
        seconds = wiggle(seed, conditions.take(mixed))
        grid = seconds.load - seconds.pv + (made.hvac - made.battery)[mixed][:, None]
        imported[mixed] = np.maximum(grid, 0).sum(axis=1)
    steps = np.stack(
        [
            60 * conditions.pv,
            60 * load,
            60 * made.hvac,
            60 * np.maximum(-made.battery, 0),
            60 * np.maximum(made.battery, 0),
            imported,
            imported - 60 * net,
        ],
        axis=1,
    )
    return np.concatenate([[start], np.array(start) + np.cumsum(steps, axis=0)])


@dataclass(frozen=True, slots=True)
class Samples:
    """A site at some seconds. Powers in W, `battery` + is discharge, `grid` + is import; `energy` in J by COUNTERS."""

    seconds: Ints
    pv: Ints
    load: Ints
    hvac: Ints
    battery: Ints
    grid: Ints
    energy: dict[str, Ints]
    room: Floats
    outdoor: Floats
    irradiance: Floats
    hvac_mode: Ints
    hvac_level: Floats


def sample(span: Span, seconds: Ints) -> Samples:
    """The site at these seconds (since the epoch), each within the span; the end of its last minute counts in."""
    last = span.first + len(span.hvac) - 1
    minute = np.minimum(seconds // 60, last)
    rows, at = np.unique(minute - span.first, return_inverse=True)
    inside = seconds - minute * 60
    conditions = span.conditions.take(rows)
    hvac, battery = span.hvac[rows], span.battery[rows]
    powers = wiggle(span.seed, conditions)
    load = powers.load + hvac[:, None]
    grid = load - powers.pv - battery[:, None]
    rates = {
        "pv": powers.pv,
        "load": load,
        "hvac": np.broadcast_to(hvac[:, None], load.shape),
        "charged": np.broadcast_to(np.maximum(-battery, 0)[:, None], load.shape),
        "discharged": np.broadcast_to(np.maximum(battery, 0)[:, None], load.shape),
        "imported": np.maximum(grid, 0),
        "exported": np.maximum(-grid, 0),
    }
    energy = {
        name: span.energy[rows[at], COUNTERS.index(name)] + _summed(rate)[at, inside] for name, rate in rates.items()
    }
    now = np.minimum(inside, 59)
    share = inside / 60.0
    room = span.room[rows] + 0.0
    warming = span.room[rows + 1] - room
    return Samples(
        seconds=seconds,
        pv=powers.pv[at, now],
        load=load[at, now],
        hvac=hvac[at],
        battery=battery[at],
        grid=grid[at, now],
        energy=energy,
        room=room[at] + warming[at] * share,
        outdoor=conditions.outdoor[at],
        irradiance=conditions.irradiance[at],
        hvac_mode=span.hvac_mode[rows][at],
        hvac_level=span.hvac_level[rows][at],
    )


def _summed(rate: Ints) -> Ints:
    """(rows, 60) W -> (rows, 61) J since the start of the minute."""
    return np.concatenate([np.zeros((len(rate), 1), np.int64), np.cumsum(rate, axis=1)], axis=1)


def resume(span: Span, second: int, setpoints: Setpoints) -> Span:
    """The one minute of `span` again, with decisions made anew at `second` (within it).

    What was before `second` stays as it was in the old span; the new one is meant for what follows. Its start
    is moved so that every counter and the room temperature are continuous at `second`.
    """
    gone = second - span.first * 60
    seen = sample(span, np.array([second]))
    energy = tuple(int(seen.energy[name][0]) for name in COUNTERS)
    net = float(seen.load[0] - seen.pv[0])
    state = State(span.first, float(seen.room[0]), net, energy)
    made = _decide(span.site, span.conditions, state, setpoints, 60 - gone)
    fresh = replace(
        span, hvac=made.hvac, hvac_mode=made.mode, hvac_level=made.level, battery=made.battery,
        room=np.array([made.room[0] - (made.room[1] - made.room[0]) * gone / (60 - gone), made.room[1]]),
    )  # fmt: skip
    again = sample(fresh, np.array([second, (span.first + 1) * 60]))
    shift = np.array([joules - int(again.energy[name][0]) for name, joules in zip(COUNTERS, energy, strict=True)])
    start = span.energy[0] + shift
    total = np.array([int(again.energy[name][1]) for name in COUNTERS]) - span.energy[0]
    return replace(fresh, energy=np.stack([start, start + total]))
