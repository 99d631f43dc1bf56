"""The outbox: bounded for telemetry, complete for control, and it knows a frozen reader."""

from __future__ import annotations

from ems_realtime.outbox import CONTROL_FACTOR, Outbox
from hypothesis import given
from hypothesis import strategies as st
from realtime_support.wires import SlowWire

LIMIT = 1_000
STEPS = st.lists(st.tuples(st.sampled_from(["telemetry", "control", "drain"]), st.integers(1, 1_500)), max_size=60)


@given(STEPS)
def test_it_is_bounded_and_never_drops_control(steps: list[tuple[str, int]]) -> None:
    wire = SlowWire()
    outbox = Outbox(wire, LIMIT, 0.0)
    written = 0
    for kind, size in steps:
        waiting = wire.buffered()
        if kind == "drain":
            wire.drain(size)
        elif kind == "telemetry":
            fitted = outbox.telemetry(b"t" * size, 0.0)
            assert fitted == (waiting == 0 or waiting + size <= LIMIT)
            written += size if fitted else 0
        else:
            outbox.control(b"c" * size, 0.0)
            if outbox.overflowed:
                assert waiting + size > CONTROL_FACTOR * LIMIT
                break
            written += size
        assert len(wire.waiting) + len(wire.taken) == written
        assert wire.buffered() <= max(CONTROL_FACTOR * LIMIT, 1_500)


def test_one_frame_fits_whatever_its_size_when_nothing_waits() -> None:
    wire = SlowWire()
    outbox = Outbox(wire, LIMIT, 0.0)
    assert outbox.telemetry(b"t" * 50_000, 0.0)
    assert not outbox.telemetry(b"t", 0.0)
    wire.drain()
    assert outbox.telemetry(b"t", 0.0)


def test_a_reader_that_takes_nothing_is_stalled_and_one_that_takes_a_little_is_not() -> None:
    wire = SlowWire()
    outbox = Outbox(wire, LIMIT, 0.0)
    outbox.telemetry(b"t" * 900, 0.0)
    for second in range(1, 30):
        wire.drain(1)
        assert not outbox.stalled(float(second), 10.0)
    assert not outbox.stalled(38.0, 10.0)
    outbox.control(b"c", 38.5)
    assert outbox.stalled(39.0, 10.0)
    wire.drain()
    assert not outbox.stalled(40.0, 10.0)
    assert not outbox.stalled(400.0, 10.0)


def test_it_has_caught_up_when_most_is_read() -> None:
    wire = SlowWire()
    outbox = Outbox(wire, LIMIT, 0.0)
    outbox.telemetry(b"t" * 1_000, 0.0)
    assert not outbox.caught_up()
    wire.drain(750)
    assert outbox.caught_up()
