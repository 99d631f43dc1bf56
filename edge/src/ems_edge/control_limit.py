"""Limit: holds an input within its limits by moving a point whose effect on it is known. Pure.

Each step asks: which output, as near to rest as possible, would bring the input within the limits (less the margin)?
As the effect is known, that is one division and no gain to tune. What makes such a controller swing is that an input
does not show at once what was done about it. So for as long as `response` says, a move is counted on: nothing is done
that is needed only if it did nothing, and nothing that is possible only if it already shows. Away from rest the answer
is taken at once; back to rest slowly, so that the peaks of a restless load and not its mean are held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from ems_contract.control import LimitRule

from ems_edge.control_rules import Reading, Sight, Step

BACK = 3.0
"""On the way back to rest two thirds of it are done in so many times the response."""
STEPS = 500
"""The output moves in at least so many steps from end to end: finer ones would only write a device more often."""

HUGE = 1e300
"""Beyond it sums are no numbers any more; a meter that says so is over every limit."""


class Move(NamedTuple):
    """The output changed by `by` at `at`."""

    at: float
    by: float


@dataclass(frozen=True, slots=True)
class LimitState:
    """`output` None: nothing is claimed. `since` is when that began or ended, `at` the last step."""

    output: float | None
    since: float
    at: float
    moves: tuple[Move, ...] = ()


class Limit:
    """`whole`: the point is a state, and the output a whole number. `resolution` is one step of the device's number."""

    def __init__(self, rule: LimitRule, *, whole: bool = False, resolution: float = 0.0) -> None:
        self._rule = rule
        self._whole = whole
        self._grain = 1.0 if whole else max(_round((rule.high - rule.low) / STEPS), resolution)
        self._least = -math.inf if rule.minimum is None else rule.minimum + rule.margin
        self._most = math.inf if rule.maximum is None else rule.maximum - rule.margin

    def begin(self, now: float) -> LimitState:
        return LimitState(None, -math.inf, now)

    def take_over(self, state: LimitState, held: float, now: float) -> LimitState:
        """An output that an earlier life left behind is held, and given back in order."""
        mine = state.output is None and held != self._rule.rest and self._rule.low <= held <= self._rule.high
        return replace(state, output=held, since=now) if mine else state

    def step(self, state: LimitState, sight: Sight) -> Step[LimitState]:
        reading = sight.known(self._rule.stale_after)
        if reading is None:
            holds = state.output is not None and self._rule.when_stale == "hold"
            since = state.since if holds or state.output is None else sight.now
            kept = replace(state, output=state.output if holds else None, since=since, at=sight.now)
            return Step(kept, kept.output, stale=True)
        new = self._next(state, sight, reading)
        moves = tuple(move for move in state.moves if reading.at < self._visible(move))
        by = self._where(new) - self._where(state.output)
        if by and sight.in_force:
            moves = (*moves, Move(sight.now, by))
        turned = (new is None) != (state.output is None)
        return Step(LimitState(new, sight.now if turned else state.since, sight.now, moves), new)

    def _next(self, state: LimitState, sight: Sight, reading: Reading) -> float | None:
        rule, here = self._rule, self._where(state.output)
        lasted, elapsed = sight.now - state.since, sight.now - state.at
        must, need = self._wanted(state, reading)
        if state.output is None:
            if need == rule.rest or lasted < rule.minimum_off:
                return None
            return self._ramped(here, need, elapsed)
        if need == rule.rest and self._whole and lasted < rule.minimum_on:
            return here
        if not sight.in_force:  # what it asks for shows nothing in the input: wait, do not wind up
            new = here
        elif self._whole:
            new = need
        else:
            new = self._ramped(here, must if must != here else self._back(here, need, elapsed), elapsed)
        at_rest = need == rule.rest and (new == rule.rest or not sight.in_force)
        return None if at_rest and lasted >= rule.minimum_on else new

    def _wanted(self, state: LimitState, reading: Reading) -> tuple[float, float]:
        """Of the outputs with which the input would be within the limits, the nearest to here and the nearest to rest.

        Each move under way is in the sample, or it is not. So the input will come to lie between two values, and where
        the answers to those differ the output moves only as far as both ask for.
        """
        here = self._where(state.output)
        coming = [self._rule.effect * move.by for move in state.moves if reading.at < self._visible(move)]
        least = self._answer(here, reading.value + sum(change for change in coming if change < 0))
        most = self._answer(here, reading.value + sum(change for change in coming if change > 0))
        must, need = (min(max(here, min(pair)), max(pair)) for pair in zip(least, most, strict=True))
        return must, need

    def _answer(self, here: float, value: float) -> tuple[float, float]:
        """As `_wanted`, for an input that is `value` with the output `here`."""
        rule, value = self._rule, min(max(value, -HUGE), HUGE)
        one, other = ((limit - value) / rule.effect for limit in (self._least, self._most))
        low, high = here + min(one, other), here + max(one, other)
        need, must = min(max(rule.rest, low), high), min(max(here, low), high)
        return (must if must == here else self._grained(must, must - here)), self._grained(need, need - rule.rest)

    def _grained(self, output: float, way: float) -> float:
        """The next whole step from rest, rounded in the direction of `way`, within the range."""
        output = min(max(output, self._rule.low), self._rule.high)
        steps = (output - self._rule.rest) / self._grain
        steps = math.ceil(steps - 1e-9) if way > 0 else math.floor(steps + 1e-9)
        return min(max(self._rule.rest + steps * self._grain, self._rule.low), self._rule.high)

    def _visible(self, move: Move) -> float:
        """A sample from then on shows the move; one that was taken with it does not, however quick the device is."""
        return move.at + max(self._rule.response, 1e-9)

    def _back(self, here: float, need: float, elapsed: float) -> float:
        """Some of the way to `need`, which nothing but economy asks for."""
        span = self._rule.response * BACK
        share = 1.0 if span <= 0 else -math.expm1(-elapsed / span)
        gap = abs(here - need)
        if gap <= self._grain:
            return need
        return self._grained(here - math.copysign(max(share * gap, self._grain), here - need), here - self._rule.rest)

    def _ramped(self, here: float, wanted: float, elapsed: float) -> float:
        if self._rule.ramp is None or self._whole:
            return wanted
        most = self._rule.ramp * elapsed
        return wanted if abs(wanted - here) <= most else here + math.copysign(most, wanted - here)

    def _where(self, output: float | None) -> float:
        return self._rule.rest if output is None else output


def _round(number: float) -> float:
    """1, 2 or 5 times a power of ten, at most `number`."""
    power: float = 10.0 ** math.floor(math.log10(number))
    return power * max(one for one in (1, 2, 5) if one * power <= number or one == 1)
