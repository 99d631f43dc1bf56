"""Frames: every golden message of the service is understood, and what is newer or broken costs only itself."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from client_support import frames
from ems_client import wire
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[2] / "contract" / "fixtures"
GOLDEN = sorted(FIXTURES.glob("*server_*.json"))


@pytest.mark.parametrize("fixture", GOLDEN, ids=lambda path: path.stem)
def test_every_golden_frame_is_understood(fixture: Path) -> None:
    value = json.loads(fixture.read_text())["value"]
    frame = wire.parse(json.dumps(value))
    assert frame is not None
    assert msgspec.structs.fields(frame)
    if isinstance(frame, wire.SnapshotFrame | wire.TelemetryFrame):
        assert len(wire.batches(frame.batches)) == len(value["batches"])
    if isinstance(frame, wire.MergedFrame):
        assert len(wire.merged_batches(frame.batches)) == len(value["batches"])


@pytest.mark.parametrize(
    "text", ['{"type":"from_the_future"}', "{}", "[]", "", "nonsense", "[" * 100_000, '{"type":1}']
)
def test_what_is_not_understood_is_ignored(text: str) -> None:
    assert wire.parse(text) is None


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    wire.parse(text)


def test_an_error_code_that_is_newer_than_this_client_is_understood() -> None:
    frame = wire.parse('{"type":"error","code":499,"message":"new"}')
    assert frame == wire.RefusalFrame(499, "new")


def test_a_batch_that_is_none_is_left_out_and_the_others_count() -> None:
    good = frames.text(frames.batch(1))
    frame = wire.parse(f'{{"type":"telemetry","site":"site_7","batches":[{{"v":1}},{good},7,null]}}')
    assert isinstance(frame, wire.TelemetryFrame)
    assert [batch.seq for batch in wire.batches(frame.batches)] == [1]


def test_no_frame_names_more_sites_than_the_service_reads() -> None:
    told = wire.subscriptions({f"site_{number}": 1000 * (number % 2) for number in range(1, 501)})
    sizes = [len(json.loads(frame)["sites"]) for frame in told]
    assert sizes == [100, 100, 50, 100, 100, 50]
    assert sorted({json.loads(frame).get("interval", 0) for frame in told}) == [0, 1000]
