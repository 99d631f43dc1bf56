"""What this process counts, and `/metrics`, which tells it to Prometheus.

Counting must cost next to nothing on the way from Redis to a socket, so nothing there is locked, formatted or looked
up by labels: numbers are added in plain dicts by the event loop's one thread and become metric families at a scrape.
The formats are prometheus-client's business. Each service has a registry of its own.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ems_realtime.clock import now_ms
from ems_realtime.metric_names import COUNTERS, PREFIX, TIMES

BOUNDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Upper bounds of the buckets of every histogram, s."""


class Durations:
    """A histogram. Times in seconds."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += times
        self.sum += seconds * times

    def observe_each(self, spans: Sequence[float]) -> None:
        """Usually all of them fall in one bucket, and that is found out at the speed of C."""
        if not spans:
            return
        first, last = bisect_left(BOUNDS, min(spans)), bisect_left(BOUNDS, max(spans))
        if first == last:
            self.counts[first] += len(spans)
        else:
            for span in spans:
                self.counts[bisect_left(BOUNDS, span)] += 1
        self.sum += sum(spans)

    def buckets(self) -> list[tuple[str, int]]:
        """As the exposition wants them: cumulative."""
        names = (*map(str, BOUNDS), "+Inf")
        return list(zip(names, accumulate(self.counts), strict=True))


class Stamps:
    """Of each batch that waits for a flush: when it was heard (`time.monotonic`, s) and when its edge says to have
    sent it (ms since the epoch)."""

    __slots__ = ("heard", "sent")

    def __init__(self) -> None:
        self.heard: list[float] = []
        self.sent: list[int] = []

    def add(self, sent: int) -> None:
        """A batch, heard now."""
        self.heard.append(time.monotonic())
        self.sent.append(sent)


class Metrics(Collector):
    """Call everything from the event loop's thread. What may be counted is in `metric_names.py`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        for name, counted in COUNTERS.items():
            self._counts.update({(name, value): 0 for value in counted.values or ("",)})
        self._times = {name: Durations() for name in TIMES}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    # Counting -------------------------------------------------------------------------------------------------

    def count(self, name: str, amount: int = 1, **label: str) -> None:
        """`count("batches")`, `count("closes", code="4413")`. Raises LookupError for what is not declared."""
        key = (name, "")
        if label or key not in self._counts:
            key = _key(name, label)
        self._counts[key] += amount

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """`read` is called at each scrape."""
        self._gauges[name] = (meaning, read)

    def observe(self, name: str, seconds: float) -> None:
        self._times[name].observe(seconds)

    def flushed(self, viewers: int, size: int, stamps: Stamps) -> None:
        """A frame of `size` bytes, made of the batches that `stamps` tells of, was just written to `viewers`."""
        counts = self._counts
        counts["deliveries", ""] += viewers * len(stamps.heard)
        counts["bytes", ""] += viewers * size
        now = time.monotonic()
        self._times["hear_to_write"].observe_each([now - at for at in stamps.heard])
        wall = now_ms()
        ages = [(wall - at) / 1000 for at in stamps.sent]
        if min(ages, default=0) < 0:
            counts["ahead", ""] += sum(age < 0 for age in ages)
            ages = [max(0.0, age) for age in ages]  # a histogram's sum must never fall
        self._times["publish_to_write"].observe_each(ages)

    # Telling --------------------------------------------------------------------------------------------------

    def value(self, name: str, **label: str) -> int:
        return self._counts[_key(name, label)]

    def total(self, name: str) -> int:
        return sum(amount for (counted, _), amount in self._counts.items() if counted == name)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The body and its content type: Prometheus' text, or OpenMetrics for whoever says to `accept` it."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        for name, counted in COUNTERS.items():
            labels = [counted.label] if counted.label else []
            family = CounterMetricFamily(PREFIX + counted.name, counted.meaning, labels=labels)
            for (found, value), amount in sorted(self._counts.items()):
                if found == name:
                    family.add_metric([value] if labels else [], amount)
            yield family
        for name, (meaning, read) in self._gauges.items():
            yield GaugeMetricFamily(PREFIX + name, meaning, value=read())
        for name, timed in TIMES.items():
            times = self._times[name]
            histogram = HistogramMetricFamily(f"{PREFIX}{timed.name}_seconds", timed.meaning)
            histogram.add_metric([], times.buckets(), times.sum)
            yield histogram


def _key(name: str, label: dict[str, str]) -> tuple[str, str]:
    """Where it is counted. Raises LookupError for what `metric_names.py` does not declare."""
    if name not in COUNTERS:
        raise LookupError(f"{name!r} is not declared in metric_names.py")
    declared = COUNTERS[name].label
    if not declared and not label:
        return name, ""
    if list(label) != [declared]:
        wanted = f"the label {declared!r}" if declared else "no label"
        raise LookupError(f"{name} is counted with {wanted}, not with {sorted(label)}")
    return name, label[declared]
