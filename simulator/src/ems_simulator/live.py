"""A site now: the same physics as history, advanced by whoever reads it, and open to setpoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ems_simulator.physics import (
    AUTOMATIC,
    DEFAULT_SEED,
    Setpoints,
    Span,
    anchor,
    initial_state,
    resume,
    run,
    sample,
    simulate,
)
from ems_simulator.signals import signals
from ems_simulator.sites import Site


class LiveSite:
    """One site at one second, `second`; only `advance` moves it, and only forward.

    All values of one second belong together: within it, grid = load + charging - PV - discharging exactly.
    A setpoint acts from the next second on.
    """

    def __init__(self, site: Site, start_ms: int, seed: int = DEFAULT_SEED, *, installed: int | None = None) -> None:
        """Fast-forward to `start_ms` from `installed`, the minute in which the meters begin to count (see `anchor`)."""
        self.site = site
        self.seed = seed
        self.setpoints = AUTOMATIC
        self._room: float | None = None
        self._held_room: float | None = None
        self.second = start_ms // 1000
        minute = self.second // 60
        state = initial_state(site, anchor(self.second) if installed is None else installed)
        self._span = simulate(site, seed, run(site, seed, state, minute), 1)
        self._columns: dict[str, list[float]] | None = None
        self._next: tuple[int, Span] | None = None

    def advance(self, to_ms: int) -> None:
        """Move to the second of `to_ms`. A time in the past changes nothing."""
        second = to_ms // 1000
        if second <= self.second:
            return
        self.second = second
        if self._next is not None and second >= self._next[0]:
            self._show(self._next[1])
        minute = second // 60
        if minute > self._span.first:
            state = run(self.site, self.seed, self._span.end, minute, self.setpoints)
            self._show(simulate(self.site, self.seed, state, 1, self.setpoints))

    def value(self, key: str) -> float:
        """A point's value in its unit, before any rounding to registers. Raises KeyError for no point."""
        if self._columns is None:
            first = self._span.first * 60
            seconds = sample(self._span, np.arange(first, first + 60))
            shown = signals(self.site, self.seed, seconds, AUTOMATIC)
            self._columns = {name: values.tolist() for name, values in shown.items()}
        if key == "battery.power_setpoint" and self.site.battery:
            return self.setpoints.battery
        if key in ("hvac.temperature_setpoint", "ahu.room_setpoint") and self.setpoints.room is not None:
            return self.setpoints.room
        if key == "ahu.enable":
            return float(not self.setpoints.hvac_off)
        return self._columns[key][self.second - self._span.first * 60]

    def set_battery(self, power: int) -> None:
        """W, + is discharge; 0 returns to the automatic strategy. The battery's own limits hold all the same."""
        self._decide_anew(replace(self.setpoints, battery=power))

    def set_room(self, temperature: float) -> None:
        """°C, from the unit's own panel; in force while nobody holds another."""
        self._room = temperature
        self.hold_room(self._held_room)

    def hold_room(self, temperature: float | None) -> None:
        """°C, over what the panel says; None lets it go."""
        self._held_room = temperature
        self._decide_anew(replace(self.setpoints, room=self._room if temperature is None else temperature))

    @property
    def panel_room(self) -> float | None:
        """°C that is in force while nobody holds another; None without rooms."""
        return self._room if self._room is not None else self.site.hvac.setpoint if self.site.hvac else None

    def enable_hvac(self, enabled: bool) -> None:
        self._decide_anew(replace(self.setpoints, hvac_off=not enabled))

    def _decide_anew(self, setpoints: Setpoints) -> None:
        if setpoints == self.setpoints:
            return
        self.setpoints = setpoints
        act = self.second + 1
        if act // 60 == self._span.first:
            self._next = act, resume(self._span, act, setpoints)

    def _show(self, span: Span) -> None:
        self._span = span
        self._columns = None
        self._next = None
