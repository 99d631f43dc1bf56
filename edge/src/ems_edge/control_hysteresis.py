"""Hysteresis: on from one value of the input, off from another, and never more often than its times allow. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ems_contract.control import HysteresisRule

from ems_edge.control_rules import Sight, Step


@dataclass(frozen=True, slots=True)
class HysteresisState:
    """`since` is when it became on or off."""

    on: bool
    since: float


class Hysteresis:
    def __init__(self, rule: HysteresisRule) -> None:
        self._rule = rule
        self._sign = 1.0 if rule.on_at > rule.off_at else -1.0

    def begin(self, now: float) -> HysteresisState:
        """Off, and from now: nobody knows when an earlier life stopped the compressor."""
        return HysteresisState(False, now)

    def take_over(self, state: HysteresisState, held: float, now: float) -> HysteresisState:
        mine = held == self._rule.on_value and held != self._rule.off_value
        return HysteresisState(True, now) if mine and not state.on else state

    def step(self, state: HysteresisState, sight: Sight) -> Step[HysteresisState]:
        reading = sight.known(self._rule.stale_after)
        if reading is None:  # lets go, and is then off
            return Step(HysteresisState(False, sight.now) if state.on else state, None, stale=True)
        state = self._turned(state, reading.value, sight.now)
        return Step(state, self._rule.on_value if state.on else self._rule.off_value)

    def _turned(self, state: HysteresisState, value: float, now: float) -> HysteresisState:
        rule, lasted = self._rule, now - state.since
        if state.on and (value - rule.off_at) * self._sign <= 0 and lasted >= rule.minimum_on:
            return HysteresisState(False, now)
        if not state.on and (value - rule.on_at) * self._sign >= 0 and lasted >= rule.minimum_off:
            return HysteresisState(True, now)
        return state
