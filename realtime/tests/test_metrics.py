"""What Prometheus reads: names that keep its conventions, histograms that agree with its own client, true numbers."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ems_realtime.metric_names import COUNTERS, PREFIX, TIMES
from ems_realtime.metrics import BOUNDS, Durations, Metrics, Stamps
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse
from realtime_support.backend import Backend
from realtime_support.batches import batch, grant, token
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer

ALICE = token(1)
ROOT = Path(__file__).parents[2]

durations = st.lists(st.floats(0, 100) | st.sampled_from(BOUNDS), max_size=30)


def samples(metrics: Metrics) -> dict[tuple[str, str], float]:
    """(name without prefix, value of its label or "") -> value."""
    body, _ = metrics.render()
    return {
        (sample.name.removeprefix(PREFIX), next(iter(sample.labels.values()), "")): sample.value
        for family in parse(body.decode())
        for sample in family.samples
        if sample.name.startswith(PREFIX)
    }


def test_everything_declared_is_there_before_anything_happened() -> None:
    found = samples(Metrics())
    for counted in COUNTERS.values():
        for value in counted.values or ("",):
            assert found[f"{counted.name}_total", value] == 0
    for timed in TIMES.values():
        assert found[f"{timed.name}_seconds_count", ""] == 0
        assert found[f"{timed.name}_seconds_bucket", "+Inf"] == 0


def test_names_and_meanings_keep_prometheus_conventions() -> None:
    for told in (*COUNTERS.values(), *TIMES.values()):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", told.name)
        assert not told.name.endswith(("_total", "_seconds", "_count", "_sum")), "the suffix is added for it"
        assert told.meaning.endswith(".")


def test_what_is_counted_is_told_with_its_label() -> None:
    metrics = Metrics()
    metrics.count("closes", code="4413")
    metrics.count("closes", 2, code="4999")
    metrics.count("batches", 5)
    found = samples(metrics)
    assert found["closes_total", "4413"] == 1
    assert found["closes_total", "4999"] == 2, "a code that nobody declared is not lost"
    assert found["batches_total", ""] == 5
    assert (metrics.value("closes", code="4999"), metrics.total("closes")) == (2, 3)


@pytest.mark.parametrize("wrong", [{}, {"reason": "x"}, {"code": "4413", "reason": "x"}])
def test_a_counter_is_counted_with_its_own_label_only(wrong: dict[str, str]) -> None:
    with pytest.raises(LookupError, match="closes is counted with the label 'code'"):
        Metrics().count("closes", **wrong)
    with pytest.raises(LookupError, match="batches is counted with no label"):
        Metrics().count("batches", reason="x")
    with pytest.raises(LookupError, match="'invented' is not declared"):
        Metrics().count("invented")


def test_a_gauge_is_read_at_each_scrape() -> None:
    metrics, depth = Metrics(), iter([3, 4])
    metrics.gauge("depth", "How deep.", lambda: next(depth))
    assert [samples(metrics)["depth", ""] for _ in range(2)] == [3, 4]


@given(durations)
def test_a_histogram_says_what_prometheus_own_would_say(spans: list[float]) -> None:
    registry = CollectorRegistry()
    theirs = Histogram("x", "X.", buckets=BOUNDS, registry=registry)
    singly, together = Durations(), Durations()
    together.observe_each(spans)
    for span in spans:
        theirs.observe(span)
        singly.observe(span)
    buckets = [
        (sample.labels["le"], sample.value)
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "x_bucket"
    ]
    assert singly.buckets() == together.buckets() == buckets
    assert singly.sum == pytest.approx(together.sum)


def test_an_edge_whose_clock_is_ahead_is_counted_and_turns_no_sum_back() -> None:
    metrics, stamps = Metrics(), Stamps()
    now_ms = time.time_ns() // 1_000_000
    stamps.add(now_ms - 2_000)
    stamps.add(now_ms + 60_000)
    metrics.flushed(3, 100, stamps)
    found = samples(metrics)
    assert found["batches_ahead_total", ""] == 1
    assert found["publish_to_write_seconds_count", ""] == 2
    assert 2 <= found["publish_to_write_seconds_sum", ""] < 30
    assert 0 <= found["hear_to_write_seconds_sum", ""] < 30
    assert (found["deliveries_total", ""], found["sent_bytes_total", ""]) == (6, 300)


@pytest.fixture
def service(redis: RedisProcess, backend: Backend, start: Callable[..., Running]) -> Running:
    backend.answers[ALICE] = grant(1, [7])
    return start(redis)


async def test_the_numbers_are_those_of_what_happened(service: Running, redis: RedisProcess) -> None:
    viewers = await asyncio.gather(*(Viewer.login(service.url, ALICE, 7) for _ in range(4)))
    for seq in range(1, 6):
        redis.admin.publish("telemetry:site_7", batch(seq))
    redis.admin.publish("telemetry:site_7", b"{")
    await until(lambda: all(viewer.seen.get(("site_7", "edge_1")) == [1, 2, 3, 4, 5] for viewer in viewers), "all")
    await viewers[0].close()
    await viewers[1].send(type="nonsense")
    assert await viewers[1].closed() == 4400
    viewers[2].socket.transport.write(b"\xc1\x80\0\0\0\0")  # a reserved bit
    assert await viewers[2].closed() == 1002
    await until(lambda: service.metric("sessions") == 1, "one session is left")

    def metric(name: str, **labels: Any) -> float:
        return service.metric(name, **labels)

    assert metric("batches_total") == 5
    assert metric("dropped_total", reason="batch") == 1
    assert metric("deliveries_total") == 20
    assert metric("sent_bytes_total") > 20 * len(batch(1))
    assert metric("snapshots_total") == 4
    assert metric("publish_to_write_seconds_count") == metric("hear_to_write_seconds_count") == 5
    assert metric("hear_to_write_seconds_sum") <= metric("publish_to_write_seconds_sum") + 0.01  # ms on one side
    assert metric("sessions_opened_total") == 4
    assert metric("sessions_left_total") == 1
    assert metric("closes_total", code="4400") == metric("closes_total", code="1002") == 1
    assert metric("validations_total", outcome="granted") == metric("validation_seconds_count") == 1
    assert metric("outbox_bytes") == metric("outbox_largest_bytes") == 0
    assert metric("redis_live") == 1
    await until(lambda: metric("redis_lag_seconds_count") > 0, "the lag of Redis is measured")
    assert metric("loop_delay_seconds_count") > 0
    await viewers[3].close()


async def test_a_fault_that_nobody_waits_for_is_counted(service: Running) -> None:
    assert service.metric("errors_total") == 0
    service.service._hub._loop.call_soon_threadsafe(lambda: 1 / 0)
    await until(lambda: service.metric("errors_total") == 1, "it is counted")


def test_the_exposition_is_text_or_openmetrics_as_the_scraper_asks(service: Running) -> None:
    plain = service.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=")
    newer = service.get("/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert newer.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name for family in parse_openmetrics(newer.text)}
    assert {"ems_realtime_deliveries", "ems_realtime_sessions", "process_resident_memory_bytes"} <= families
    assert {family.name for family in parse(plain.text)} == families


def test_the_guide_names_every_metric_and_the_alerts_use_no_other(service: Running) -> None:
    known = {family.name for family in parse(service.get("/metrics").text) if family.name.startswith(PREFIX)}
    suffix = re.compile(r"_(total|bucket)\b")
    guide = (ROOT / "docs/guides/monitor-the-live-service.md").read_text()
    rules = (ROOT / "deploy/prometheus/realtime.rules.yaml").read_text()
    named = {suffix.sub("", name) for name in re.findall(r"ems_realtime_\w+", guide)}
    assert named == known
    assert {suffix.sub("", name) for name in re.findall(r"ems_realtime_\w+", rules)} < known
    alerts = re.findall(r"alert: (\w+)", rules)
    assert re.findall(r"^\| `(Ems\w+)`", guide, re.MULTILINE) == alerts
