"""Local control as a whole: samples in, claims, events and samples out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import msgspec
import pytest
from ems_contract.control import (
    ControlAction,
    ControlEvent,
    ControlRule,
    HysteresisRule,
    LimitRule,
    ScheduleRule,
    Window,
)
from ems_contract.points import Reason
from ems_edge.control import GRACE, Control, Task
from ems_edge.control_telling import BURST
from ems_edge.decode import Value
from ems_edge.poller import Answer
from ems_edge.setpoints import Listener, Outcome, Result
from ems_edge.setpoints_claims import Claim, Claims
from ems_edge.setpoints_limits import Setpoint

WALL = 1_768_392_000_000  # a Wednesday, 12:00 UTC
SETPOINT = "battery.setpoint"
LIMIT = LimitRule(
    key="shave", name="Shave", point=SETPOINT, input="grid.power", priority=5, maximum=100.0, high=200.0, minimum_on=0.0
)
IDLE = ScheduleRule(
    key="idle", name="Idle", point=SETPOINT, priority=12, windows=[Window("00:00", "24:00", 1.0, days=(2,))]
)
COOLING = HysteresisRule(
    key="cooling", name="Cooling", point="fan.enable", input="room.temperature", on_at=25.0, off_at=23.0
)


class Writer:
    """Takes every claim at once, and keeps what was in force."""

    def __init__(self) -> None:
        self.claims: dict[str, Claims] = {}
        self.written: list[tuple[str, float | None]] = []
        self.listeners: list[Listener] = []

    def claim(self, point: str, holder: str, priority: int, value: float) -> None:
        self.claims.setdefault(point, Claims()).put(Claim(holder, priority, value))
        self._write(point)

    def release(self, point: str, holder: str) -> None:
        self.claims[point].drop(holder)
        self._write(point)

    def holder(self, point: str) -> str | None:
        strongest = self.claims.get(point, Claims()).strongest()
        return strongest.holder if strongest else None

    def listen(self, listener: Listener) -> None:
        self.listeners.append(listener)

    def tell(self, outcome: Outcome) -> None:
        for listener in self.listeners:
            listener(outcome)

    def _write(self, point: str) -> None:
        strongest = self.claims[point].strongest()
        value = (point, strongest.value if strongest else None)
        if self.written[-1:] != [value]:
            self.written.append(value)


class Bench:
    """Control with hands on its clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.writer = Writer()
        self.events: list[ControlEvent] = []
        self.control = Control(
            self.writer, self.events.append, lambda: WALL + round((self.now - 1_000) * 1000), lambda: self.now
        )

    def use(self, *rules: ControlRule, default: float | None = None, interval: float = 5.0) -> None:
        tasks = [Task(rule, Setpoint(rule.point, rule.point.partition(".")[0], default=default)) for rule in rules]
        self.control.use(tasks, UTC, interval)

    def read(self, key: str, value: Value, seconds: float = 1.0, **doubts: Reason) -> list[Answer]:
        self.now += seconds
        wanted = WALL + round((self.now - 1_000) * 1000)
        return self.control.take(
            [Answer(key.partition(".")[0], wanted, {key: value}, doubts and {key: doubts["doubt"]})]
        )

    def tick(self, seconds: float = 1.0) -> list[Answer]:
        self.now += seconds
        return self.control.tick()

    @property
    def actions(self) -> list[str]:
        return [f"{event.rule} {event.action.value}" for event in self.events]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_sample_over_the_limit_is_answered_within_the_same_call(bench: Bench) -> None:
    bench.use(LIMIT)
    said = bench.read("grid.power", 150.0)
    assert bench.writer.written == [(SETPOINT, 50.0)]
    assert said == [Answer("shave", WALL + 1_000, {"shave.active": 1.0, "shave.output": 50.0})]
    event = bench.events[0]
    assert (event.action, event.value, event.input, event.ts) == (ControlAction.STARTED, 50.0, 150.0, WALL + 1_000)


def test_a_rule_that_asks_for_nothing_has_no_output(bench: Bench) -> None:
    bench.use(LIMIT)
    assert bench.read("grid.power", 50.0)[0].values == {"shave.active": 0.0, "shave.output": Reason.NO_VALUE}
    assert bench.writer.written == []
    assert bench.events == []


def test_of_several_rules_at_one_point_the_strongest_holds_it_and_the_next_one_follows(bench: Bench) -> None:
    bench.use(IDLE, LIMIT)
    bench.tick()
    bench.read("grid.power", 150.0)
    for _ in range(60):
        bench.read("grid.power", 10.0)
    assert bench.writer.written[0] == (SETPOINT, 1.0)
    assert bench.writer.written[1] == (SETPOINT, 50.0)
    assert bench.writer.written[-1] == (SETPOINT, 1.0)
    assert bench.actions == ["idle started", "shave started", "shave adjusted", "shave stopped"]


def test_bad_and_doubtful_samples_move_nothing(bench: Bench) -> None:
    bench.use(LIMIT)
    bench.read("grid.power", Reason.TIMEOUT)
    bench.read("grid.power", 150.0, doubt=Reason.STUCK)
    assert bench.writer.written == []


def test_an_input_that_is_lost_is_told_once_and_the_output_held(bench: Bench) -> None:
    bench.use(LIMIT)
    bench.read("grid.power", 150.0)
    for _ in range(40):
        bench.read("grid.power", Reason.TIMEOUT)
    assert bench.actions == ["shave started", "shave stale"]
    assert bench.writer.holder(SETPOINT) == "rule:shave"
    bench.read("grid.power", 99.0)
    for _ in range(40):
        bench.tick()
    assert bench.actions.count("shave stale") == 2


def test_at_a_start_it_waits_for_the_first_reads_before_it_calls_an_input_lost(bench: Bench) -> None:
    bench.use(LIMIT)
    bench.tick(GRACE / 2)
    assert bench.events == []
    bench.tick(GRACE)
    assert bench.actions == ["shave stale"]


def test_it_takes_over_what_the_device_was_left_with(bench: Bench) -> None:
    bench.use(LIMIT, default=0.0)
    bench.read(SETPOINT, 60.0)
    bench.read("grid.power", 99.0)
    assert bench.writer.holder(SETPOINT) == "rule:shave"
    assert 55.0 < bench.writer.written[-1][1] <= 60.0  # type: ignore[operator]


@pytest.mark.parametrize("held", [0.0, 1e-9, 250.0, -1.0])
def test_it_takes_nothing_over_that_is_not_its_own(bench: Bench, held: float) -> None:
    bench.use(LIMIT, default=0.0)
    bench.read(SETPOINT, held)
    bench.read("grid.power", 99.0)
    assert bench.writer.written == []


def test_it_takes_nothing_over_from_someone_who_holds_it(bench: Bench) -> None:
    bench.writer.claim(SETPOINT, "command:1", 8, 60.0)
    bench.use(LIMIT, default=0.0)
    bench.read(SETPOINT, 60.0)
    bench.read("grid.power", 50.0)
    assert bench.writer.holder(SETPOINT) == "command:1"


def test_a_new_configuration_interrupts_no_rule_that_stays(bench: Bench) -> None:
    bench.use(LIMIT, IDLE)
    bench.read("grid.power", 150.0)
    bench.use(msgspec.structs.replace(LIMIT, maximum=120.0))
    assert bench.writer.written == [(SETPOINT, 50.0)]
    bench.read("grid.power", 100.0, seconds=5.0)
    assert bench.actions == ["shave started"]
    assert bench.writer.written[-1][1] < 50.0  # type: ignore[operator]


def test_a_rule_that_is_no_more_lets_go_and_says_so(bench: Bench) -> None:
    bench.use(LIMIT)
    bench.read("grid.power", 150.0)
    bench.use()
    assert bench.writer.written == [(SETPOINT, 50.0), (SETPOINT, None)]
    assert bench.actions == ["shave started", "shave stopped"]
    assert bench.read("grid.power", 500.0) == []


def test_a_rule_whose_point_became_another_lets_go_of_the_old_one(bench: Bench) -> None:
    bench.use(LIMIT)
    bench.read("grid.power", 150.0)
    bench.use(msgspec.structs.replace(LIMIT, point="other.setpoint"))
    bench.read("grid.power", 150.0)
    assert bench.writer.written == [(SETPOINT, 50.0), (SETPOINT, None), ("other.setpoint", 50.0)]


def test_what_the_writer_says_of_a_claim_is_told_once(bench: Bench) -> None:
    bench.use(LIMIT)
    bench.read("grid.power", 150.0)

    def outcome(result: Result, holder: str = "rule:shave") -> None:
        bench.writer.tell(Outcome(SETPOINT, holder, 50.0, result, detail="battery: no answer"))

    for result in (Result.WRITTEN, Result.SILENT, Result.SILENT, Result.IN_FORCE, Result.SILENT, Result.OVERRULED):
        outcome(result)
    outcome(Result.SILENT, holder="command:1")
    assert bench.actions == ["shave started", "shave failed", "shave failed", "shave overruled"]
    assert bench.events[1].detail == "battery: no answer"


def test_a_rule_speaks_at_every_change_and_in_its_turn(bench: Bench) -> None:
    bench.use(COOLING, interval=5.0)
    said = [bench.tick() for _ in range(10)]
    assert [len(one) for one in said].count(1) == 3  # at the start, and in each 5 s of the clock
    assert bench.read("room.temperature", 26.0)[0].values == {"cooling.active": 1.0, "cooling.output": 1.0}


def test_a_rule_that_flutters_is_not_told_each_time(bench: Bench) -> None:
    bench.use(COOLING)
    for number in range(200):
        bench.read("room.temperature", 20.0 if number % 2 else 30.0)
    assert BURST <= len(bench.events) <= BURST + 200 / 30 + 1
    assert any("more in between" in (event.detail or "") for event in bench.events)
    assert len({event.id for event in bench.events}) == len(bench.events)


def test_a_moving_output_is_told_when_it_moved_much_or_after_a_while(bench: Bench) -> None:
    bench.use(LIMIT)
    power: Callable[[int], float] = lambda second: 110.0 + second * 0.5  # noqa: E731
    for second in range(180):
        held = bench.writer.written[-1][1] if bench.writer.written else 0.0
        bench.read("grid.power", power(second) - (held or 0.0))
    told: list[Any] = [event.action for event in bench.events]
    assert told[0] is ControlAction.STARTED
    assert 3 <= len(told) <= 8
