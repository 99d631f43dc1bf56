"""Between poller and recorder: what is computed from samples, who acts on them, and which of them go on.

poller --answers--> derived points --> local control, which sees every sample --> report by exception --> recorder

Nothing here waits; all of it happens within the call that brings the answers, so control acts on a sample as soon as it
is there. What the stages make of it goes on with it: a derived point with the time of the newest answer it is made of,
what a rule does with the time of the answer that moved it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ems_contract.points import Reason

from ems_edge.clock import wall_ms
from ems_edge.decode import Value
from ems_edge.expression import Expression
from ems_edge.poller import Answer
from ems_edge.reporting import Reporter

Sink = Callable[[list[Answer]], None]


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived point, ready to be computed. The first word of its key stands where others have their device."""

    key: str
    expression: Expression

    @property
    def device(self) -> str:
        return self.key.partition(".")[0]


class Derivations:
    """Computes each derived point when one of its points was read, with the newest values of the others.

    `derived` in an order in which each comes after those it is made of. A point is computed from when all of its points
    were read once. It is in doubt when one of them is.
    """

    def __init__(self, derived: Sequence[Derived]) -> None:
        self._derived = derived
        self._newest: dict[str, Value] = {}
        self._doubts: dict[str, Reason] = {}
        self._needed = {point for one in derived for point in one.expression.points}

    def take(self, answers: Sequence[Answer]) -> list[Answer]:
        if not self._derived or not answers:
            return []
        touched = set(self._keep(answers))
        made: dict[str, Answer] = {}
        wanted = max(answer.wanted for answer in answers)
        for one in self._derived:
            points = one.expression.points
            if touched.isdisjoint(points) or not self._newest.keys() >= set(points):
                continue
            value = one.expression.value(self._newest)
            answer = made.setdefault(one.device, Answer(one.device, wanted, {}, {}))
            answer.values[one.key] = self._newest[one.key] = value
            touched.add(one.key)
            self._doubts.pop(one.key, None)
            doubt = next((self._doubts[point] for point in points if point in self._doubts), None)
            if doubt is not None and not isinstance(value, Reason):
                answer.doubts[one.key] = self._doubts[one.key] = doubt
        return list(made.values())

    def _keep(self, answers: Iterable[Answer]) -> Iterable[str]:
        for answer in answers:
            for key in self._needed & answer.values.keys():
                self._newest[key] = answer.values[key]
                self._doubts.pop(key, None)
                if key in answer.doubts:
                    self._doubts[key] = answer.doubts[key]
                yield key


class Acting(Protocol):
    """Local control, as far as samples are concerned: what goes in, and its own samples."""

    def take(self, answers: Sequence[Answer]) -> list[Answer]: ...

    def tick(self) -> list[Answer]: ...


class Processing:
    """One configuration at a time: `use`, then `take` any number of times, `close` at the end of it.

    `run` ticks once a second, half a second after the full ones: samples of devices carry the full ones.
    """

    def __init__(self, sink: Sink, control: Acting | None = None, wall: Callable[[], int] = wall_ms) -> None:
        self._sink = sink
        self._control = control
        self._wall = wall
        self._derivations = Derivations(())
        self._reporter = Reporter((), ())

    def use(self, derived: Sequence[Derived], reporter: Reporter) -> None:
        self._derivations = Derivations(derived)
        self._reporter = reporter

    def take(self, answers: list[Answer]) -> None:
        seen = [*answers, *self._derivations.take(answers)]
        acted = self._control.take(seen) if self._control is not None else []
        self._pass_on(self._reporter.take([*seen, *acted]))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep((1500 - self._wall() % 1000) % 1000 / 1000 or 1.0)
            self.tick()

    def tick(self) -> None:
        acted = self._control.tick() if self._control is not None else []
        self._pass_on(self._reporter.take(acted) + self._reporter.tick(self._wall()))

    def close(self) -> None:
        """What is still being drawn together goes on as it is."""
        self._pass_on(self._reporter.close(self._wall()))

    def _pass_on(self, answers: list[Answer]) -> None:
        if answers:
            self._sink(answers)
