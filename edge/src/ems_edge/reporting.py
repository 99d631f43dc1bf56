"""Report by exception: which samples are worth sending, and several drawn together into one. Pure; times in ms.

What is not sent can be told from what is: a value that holds until the next sample is never a deadband away from the
true one, and silence is never longer than the heartbeat and one read. The first sample of each heartbeat of the clock
is always sent, of all points at once, so that every bucket of a minute in history holds one where the heartbeat is a
minute or less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ems_contract.points import Kind, Point, Reason
from ems_contract.processing import ReportPolicy

from ems_edge.poller import Answer
from ems_edge.reporting_window import Sample, Window

PULSE = 5_000
"""An edge is never silent for so long while it reads: viewers could not tell that from a lost one."""


class Deadband:
    """Whether a sample says something new about its point."""

    def __init__(self, policy: ReportPolicy, kind: Kind) -> None:
        self._absolute = 0.0 if kind is Kind.STATE else policy.deadband or 0.0
        self._share = 0.0 if kind is Kind.STATE else (policy.deadband_percent or 0.0) / 100
        self._heartbeat = round(policy.heartbeat * 1000)
        self._sent: Sample | None = None

    @property
    def sent_at(self) -> int:
        return self._sent.ts if self._sent is not None else 0

    def passes(self, sample: Sample) -> bool:
        """True where it has to be sent; then it is remembered as the last one sent."""
        if self._is_news(sample):
            self._sent = sample
            return True
        return False

    def send(self, sample: Sample) -> None:
        """It is sent for another reason."""
        self._sent = sample

    def _is_news(self, sample: Sample) -> bool:
        last = self._sent
        if last is None or sample.ts // self._heartbeat != last.ts // self._heartbeat:
            return True
        if isinstance(sample.value, Reason) or isinstance(last.value, Reason) or sample.doubt != last.doubt:
            return (sample.value, sample.doubt) != (last.value, last.doubt)
        away = abs(sample.value - last.value)
        return away > 0 and away >= max(self._absolute, self._share * abs(last.value))


@dataclass(slots=True)
class _Reported:
    """One point under a policy."""

    key: str
    device: str
    deadband: Deadband
    window: Window | None


@dataclass(slots=True)
class _Outgoing:
    """Answers being put together: one for each device and time."""

    _answers: dict[tuple[str, int], Answer] = field(default_factory=dict)

    def add(self, device: str, key: str, sample: Sample) -> None:
        answer = self._answers.get((device, sample.ts))
        if answer is None:
            answer = self._answers[device, sample.ts] = Answer(device, sample.ts, {}, {})
        answer.values[key] = sample.value
        if sample.doubt is not None:
            answer.doubts[key] = sample.doubt

    def answers(self) -> list[Answer]:
        return sorted(self._answers.values(), key=lambda answer: answer.wanted)


class Reporter:
    """Passes on what the policies ask for. `points` tells the kinds; the first policy that matches a key counts."""

    def __init__(self, policies: Sequence[ReportPolicy], points: Iterable[Point]) -> None:
        self._reported: dict[str, _Reported] = {}
        for point in points:
            policy = next((one for one in policies if any(_matches(text, point.key) for text in one.points)), None)
            if policy is not None:
                device = point.key.partition(".")[0]
                window = Window(policy, point.kind) if policy.window is not None else None
                self._reported[point.key] = _Reported(point.key, device, Deadband(policy, point.kind), window)
        self._windows = [one for one in self._reported.values() if one.window is not None]
        self._last = 0

    def take(self, answers: list[Answer]) -> list[Answer]:
        if not self._reported:
            return answers
        outgoing = _Outgoing()
        quiet: list[tuple[_Reported, Sample]] = []
        for answer in answers:
            for key, value in answer.values.items():
                sample = Sample(answer.wanted, value, answer.doubts.get(key))
                reported = self._reported.get(key)
                if reported is None:
                    outgoing.add(answer.device, key, sample)
                elif reported.window is not None:
                    self._pass(outgoing, reported, reported.window.add(sample))
                elif reported.deadband.passes(sample):
                    outgoing.add(answer.device, key, sample)
                else:
                    quiet.append((reported, sample))
        return self._sent(outgoing, quiet)

    def tick(self, now: int) -> list[Answer]:
        """Close the windows whose points no longer answer."""
        outgoing = _Outgoing()
        for one in self._windows:
            if one.window is not None:
                self._pass(outgoing, one, one.window.close_late(now))
        return self._sent(outgoing, [])

    def close(self, now: int) -> list[Answer]:
        """The end: what the open windows hold so far."""
        outgoing = _Outgoing()
        for one in self._windows:
            if one.window is not None:
                self._pass(outgoing, one, one.window.close(now))
        return self._sent(outgoing, [])

    @staticmethod
    def _pass(outgoing: _Outgoing, reported: _Reported, sample: Sample | None) -> None:
        if sample is not None and reported.deadband.passes(sample):
            outgoing.add(reported.device, reported.key, sample)

    def _sent(self, outgoing: _Outgoing, quiet: list[tuple[_Reported, Sample]]) -> list[Answer]:
        answers = outgoing.answers()
        if not answers and quiet:
            reported, sample = min(quiet, key=lambda one: one[0].deadband.sent_at)
            if abs(sample.ts - self._last) >= PULSE:
                reported.deadband.send(sample)
                outgoing.add(reported.device, reported.key, sample)
                answers = outgoing.answers()
        if answers:
            self._last = answers[-1].wanted
        return answers


def _matches(pattern: str, key: str) -> bool:
    """`*` stands for any characters. Each part is taken where it first stands, so that many stars take no longer."""
    first, *parts = pattern.split("*")
    if not parts:
        return key == first
    if not key.startswith(first):
        return False
    *between, last = parts
    at = len(first)
    for part in between:
        at = key.find(part, at) + len(part)
        if at < len(part):
            return False
    return len(key) - at >= len(last) and key.endswith(last)
