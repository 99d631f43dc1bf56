"""Local control: runs the rules of one edge, with or without a network.

Each answer of a device goes through `take` before it is recorded, so a rule acts on it at once; `tick` comes once a
second, for what only time changes. A rule acts by claiming its point at the single writer (setpoints.py) and tells what
it did as an event and as samples of its own: `<key>.active` and `<key>.output`.

What one rule keeps survives a new configuration in which it still moves the same point, changed or not. After a restart
a rule takes over what the device was left with, unless someone else has claimed the point meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from ems_contract.control import ControlAction, ControlEvent, ControlRule, HysteresisRule, LimitRule, ScheduleRule
from ems_contract.points import Reason

from ems_edge.clock import wall_ms
from ems_edge.control_hysteresis import Hysteresis
from ems_edge.control_limit import Limit
from ems_edge.control_rules import Core, Reading, Sight
from ems_edge.control_schedule import Schedule
from ems_edge.control_telling import Moment, Telling
from ems_edge.poller import Answer
from ems_edge.setpoints import FAILURES, Claimant, Outcome, Result
from ems_edge.setpoints_limits import Setpoint

_TROUBLE = FAILURES | {Result.OVERRULED, Result.OUT_OF_LIMITS}
GRACE = 5.0
"""A rule whose input is not there this long after its start says so; until then the first reads are under way."""


@dataclass(frozen=True, slots=True)
class Task:
    """A rule that was found good, and the point that it moves."""

    rule: ControlRule
    setpoint: Setpoint
    whole: bool = False
    """The point is a state: it moves in whole steps."""

    @property
    def input(self) -> str | None:
        return None if isinstance(self.rule, ScheduleRule) else self.rule.input

    def core(self) -> Core[Any]:
        match self.rule:
            case ScheduleRule() as rule:
                return Schedule(rule)
            case HysteresisRule() as rule:
                return Hysteresis(rule)
            case LimitRule() as rule:
                return Limit(rule, whole=self.whole, resolution=self.setpoint.resolution)

    def span(self) -> float:
        """How far the output can move, where that is known."""
        return self.rule.high - self.rule.low if isinstance(self.rule, LimitRule) else 0.0


class Control:
    """`tell` takes events and must not block. `wall` in ms, `monotonic` in s."""

    def __init__(
        self,
        setpoints: Claimant,
        tell: Callable[[ControlEvent], None],
        wall: Callable[[], int] = wall_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._setpoints = setpoints
        self._tell = tell
        self._wall = wall
        self._monotonic = monotonic
        self._running: dict[str, _Running] = {}
        self._zone: tzinfo = UTC
        self._interval = 5_000
        setpoints.listen(self._heard)

    def use(self, tasks: Sequence[Task], zone: tzinfo, interval: float) -> None:
        """From now on these rules, and no others. Each says what it does at least every `interval` s."""
        self._zone, self._interval = zone, max(round(interval * 1000), 1)
        old, self._running = self._running, {}
        for task in tasks:
            known = old.get(task.rule.key)
            if known is not None and known.continues(task):
                self._running[task.rule.key] = old.pop(task.rule.key)
                known.go_on_as(task)
                if known.output is not None:  # the writer may have been between two configurations when it asked last
                    self._setpoints.claim(task.rule.point, known.holder, task.rule.priority, known.output)
        for gone in old.values():
            self._let_go(gone)
        for task in tasks:
            if task.rule.key not in self._running:
                self._running[task.rule.key] = _Running(task, self._monotonic(), self._tell)

    def take(self, answers: Sequence[Answer]) -> list[Answer]:
        """What the rules that these answers concern do about them, as samples."""
        if not self._running or not answers:
            return []
        now = self._monotonic()
        concerned = [one for one in self._running.values() if one.see(answers, now, self._setpoints)]
        for one in concerned:
            self._step(one, now)
        wanted = max(answer.wanted for answer in answers)
        return [one.said_at(wanted) for one in concerned]

    def tick(self) -> list[Answer]:
        now, wanted = self._monotonic(), self._wall()
        for one in self._running.values():
            self._step(one, now)
        return [one.said_at(wanted) for one in self._running.values() if one.is_due(wanted, self._interval)]

    def _step(self, one: _Running, now: float) -> None:
        local = datetime.fromtimestamp(self._wall() / 1000, self._zone)
        in_force = one.claimed is None or self._setpoints.holder(one.task.rule.point) == one.holder
        step = one.core.step(one.state, Sight(now, local, one.reading, in_force))
        one.state = step.state
        self._act(one, step.output)
        one.telling.moved(self._moment(one))
        if step.stale and not one.stale and now - one.began >= GRACE:
            one.telling.say(ControlAction.STALE, self._moment(one), f"{one.task.input} has no good sample")
        one.stale = step.stale and (one.stale or now - one.began >= GRACE)

    def _moment(self, one: _Running) -> Moment:
        return Moment(self._monotonic(), self._wall(), one.output, one.reading.value if one.reading else None)

    def _act(self, one: _Running, output: float | None) -> None:
        rule = one.task.rule
        if output is None and one.claimed is not None:
            self._setpoints.release(rule.point, one.holder)
        elif output is not None and (output, rule.priority) != one.claimed:
            self._setpoints.claim(rule.point, one.holder, rule.priority, output)
        one.claimed = None if output is None else (output, rule.priority)

    def _let_go(self, one: _Running) -> None:
        self._act(one, None)
        one.telling.moved(self._moment(one))

    def _heard(self, outcome: Outcome) -> None:
        one = next((one for one in self._running.values() if one.holder == outcome.holder), None)
        if one is None or one.claimed is None or one.task.rule.point != outcome.point:
            return
        if outcome.result is Result.IN_FORCE:
            one.trouble = None
        elif outcome.result in _TROUBLE and outcome.result is not one.trouble:
            one.trouble = outcome.result
            action = ControlAction.OVERRULED if outcome.result is Result.OVERRULED else ControlAction.FAILED
            one.telling.say(action, self._moment(one), outcome.detail)


class _Running:
    """One rule at work."""

    def __init__(self, task: Task, now: float, tell: Callable[[ControlEvent], None]) -> None:
        self.task = task
        self.core = task.core()
        self.state: Any = self.core.begin(now)
        self.began = now
        self.holder = f"rule:{task.rule.key}"
        self.telling = Telling(task.rule.key, task.rule.point, tell)
        self.telling.span = task.span()
        self.claimed: tuple[float, int] | None = None
        """What it asked for last, and at which priority."""
        self.reading: Reading | None = None
        self.stale = False
        self.trouble: Result | None = None
        self._met = False
        """The device has told what it holds."""
        self._said: tuple[int, float | None] | None = None

    @property
    def output(self) -> float | None:
        return self.claimed[0] if self.claimed else None

    def continues(self, task: Task) -> bool:
        """The changed rule does the same work: what is known of the old one holds for it."""
        old = self.task
        return (type(old.rule), old.rule.point, old.input) == (type(task.rule), task.rule.point, task.input)

    def go_on_as(self, task: Task) -> None:
        self.task, self.core = task, task.core()
        self.telling.span = task.span()

    def see(self, answers: Sequence[Answer], now: float, setpoints: Claimant) -> bool:
        """Whether one of the answers has its input."""
        seen = False
        for answer in answers:
            if not self._met:
                self._meet(answer, now, setpoints)
            if self.task.input in answer.values:
                value = answer.values[self.task.input]
                seen = True
                if not isinstance(value, Reason) and self.task.input not in answer.doubts:
                    self.reading = Reading(value, now)
        return seen

    def _meet(self, answer: Answer, now: float, setpoints: Claimant) -> None:
        held = answer.values.get(self.task.rule.point)
        if held is None or isinstance(held, Reason):
            return
        self._met = True
        nobodys = self.claimed is None and setpoints.holder(self.task.rule.point) is None
        default = self.task.setpoint.default
        if nobodys and (default is None or not self.task.setpoint.same(default, held)):
            self.state = self.core.take_over(self.state, held, now)

    def said_at(self, wanted: int) -> Answer:
        """What it does, as samples of its own."""
        self._said = (wanted, self.output)
        key, asked = self.task.rule.key, Reason.NO_VALUE if self.output is None else self.output
        return Answer(key, wanted, {f"{key}.active": float(self.output is not None), f"{key}.output": asked})

    def is_due(self, wanted: int, interval: int) -> bool:
        """Between the answers of devices a rule speaks when something changed, and in its turn."""
        if self._said is None:
            return True
        ts, output = self._said
        return output != self.output or ts // interval != wanted // interval
