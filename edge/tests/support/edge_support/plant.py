"""A plant with a memory: what a meter shows while a rule moves something behind it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ems_contract.control import LimitRule
from ems_edge.control_limit import Limit
from ems_edge.control_rules import Reading, Sight

NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
STEP = 0.1


@dataclass(frozen=True, slots=True)
class Row:
    """One step of the rule. `input` as it was read last, `output` None where nothing was claimed."""

    t: float
    input: float
    output: float | None


@dataclass(frozen=True, slots=True)
class Plant:
    """An output is seen in the input after `delay` s, and then as a first-order lag of `lag` s."""

    load: Callable[[float], float]
    delay: float = 0.0
    lag: float = 0.0

    def run(self, rule: LimitRule, seconds: float, *, every: float = 1.0, whole: bool = False) -> list[Row]:
        """The rule sees the input every `every` s, and the clock once a second."""
        return list(self._run(rule, seconds, every, whole))

    def _run(self, rule: LimitRule, seconds: float, every: float, whole: bool) -> Iterator[Row]:
        core = Limit(rule, whole=whole)
        state = core.begin(0.0)
        asked = [(-math.inf, rule.rest)]
        actual = rule.rest
        reading: Reading | None = None
        reads = ticks = 0
        for number in range(round(seconds / STEP)):
            t = number * STEP
            target = next(value for at, value in reversed(asked) if at <= t - self.delay + 1e-9)
            actual += (target - actual) * (1 - math.exp(-STEP / self.lag) if self.lag else 1)
            read, tick = t >= reads * every - 1e-9, t >= ticks + 0.5 - 1e-9
            reads, ticks = reads + read, ticks + tick
            if read:
                reading = Reading(self.load(t) + rule.effect * actual, t)
            if reading is not None and (read or tick):
                step = core.step(state, Sight(t, NOON, reading))
                state = step.state
                asked.append((t, rule.rest if step.output is None else step.output))
                yield Row(t, reading.value, step.output)
