"""Derived points, and the way of a sample between poller and recorder."""

from __future__ import annotations

from collections.abc import Sequence

from ems_contract.points import Kind, Point, Reason
from ems_contract.processing import ReportPolicy
from ems_edge.decode import Value
from ems_edge.expression import parse
from ems_edge.poller import Answer
from ems_edge.processing import Derivations, Derived, Processing
from ems_edge.reporting import Reporter

TICK = 1_790_000_000_000


def _derived(**expressions: str) -> list[Derived]:
    return [Derived(key.replace("__", "."), parse(text)) for key, text in expressions.items()]


def _answer(device: str, ts: int = TICK, doubts: dict[str, Reason] | None = None, **values: Value) -> Answer:
    return Answer(device, ts, {f"{device}.{key}": value for key, value in values.items()}, doubts or {})


class Acting:
    """Keeps what it saw, and says one thing of its own."""

    def __init__(self) -> None:
        self.seen: list[Answer] = []
        self.own: list[Answer] = []

    def take(self, answers: Sequence[Answer]) -> list[Answer]:
        self.seen += answers
        return self.own

    def tick(self) -> list[Answer]:
        return self.own


def test_it_is_computed_from_what_was_read_together_with_the_newest_time() -> None:
    derivations = Derivations(_derived(site__load="meter.power + pv.power"))
    made = derivations.take([_answer("meter", TICK, power=100.0), _answer("pv", TICK + 40, power=20.0)])
    assert made == [Answer("site", TICK + 40, {"site.load": 120.0})]


def test_it_waits_until_each_of_its_points_was_read_then_follows_every_one() -> None:
    derivations = Derivations(_derived(site__load="meter.power + pv.power"))
    assert derivations.take([_answer("meter", power=100.0)]) == []
    assert derivations.take([_answer("pv", power=20.0)])[0].values == {"site.load": 120.0}
    assert derivations.take([_answer("meter", power=50.0)])[0].values == {"site.load": 70.0}
    assert derivations.take([_answer("hvac", power=1.0)]) == []


def test_derived_points_are_made_of_derived_points() -> None:
    derivations = Derivations(
        _derived(site__load="meter.power * 2", site__share="site.load / 100", peak__now="site.share")
    )
    made = derivations.take([_answer("meter", power=100.0)])
    assert [one.values for one in made] == [{"site.load": 200.0, "site.share": 2.0}, {"peak.now": 2.0}]


def test_its_quality_follows_that_of_its_points() -> None:
    derivations = Derivations(_derived(site__load="meter.power * 2", site__share="site.load / 100"))
    assert derivations.take([_answer("meter", power=Reason.TIMEOUT)])[0].values == {
        "site.load": Reason.TIMEOUT,
        "site.share": Reason.TIMEOUT,
    }
    doubtful = derivations.take([_answer("meter", doubts={"meter.power": Reason.STUCK}, power=1.0)])[0]
    assert doubtful.doubts == {"site.load": Reason.STUCK, "site.share": Reason.STUCK}
    assert derivations.take([_answer("meter", power=1.0)])[0].doubts == {}


def test_control_sees_every_sample_and_the_recorder_what_is_worth_sending() -> None:
    sent: list[Answer] = []
    acting = Acting()
    processing = Processing(sent.extend, acting, lambda: TICK)
    points = [Point(key, key, "W", Kind.GAUGE, "") for key in ("meter.power", "site.load", "rule.output")]
    processing.use(_derived(site__load="meter.power"), Reporter([ReportPolicy(["*"], deadband=50.0)], points))
    acting.own = [_answer("rule", output=1.0)]
    processing.take([_answer("meter", power=100.0)])
    processing.take([_answer("meter", power=101.0)])
    assert [one.values for one in acting.seen] == [
        {"meter.power": 100.0},
        {"site.load": 100.0},
        {"meter.power": 101.0},
        {"site.load": 101.0},
    ]
    assert [one.values for one in sent] == [{"meter.power": 100.0}, {"site.load": 100.0}, {"rule.output": 1.0}]


def test_at_the_end_of_a_configuration_an_open_window_is_passed_on() -> None:
    sent: list[Answer] = []
    processing = Processing(sent.extend, Acting(), lambda: TICK + 10)
    points = [Point("meter.power", "Power", "W", Kind.GAUGE, "meter")]
    processing.use((), Reporter([ReportPolicy(["*"], window=60.0)], points))
    processing.take([_answer("meter", power=100.0)])
    assert sent == []
    processing.close()
    assert [one.values for one in sent] == [{"meter.power": 100.0}]
