"""Batches: what is accepted comes back the same, what is not is refused with its field."""

from __future__ import annotations

import json
import uuid

import msgspec
import pytest
from ems_contract.points import Quality, Reason, is_point_key, quality_code, quality_of
from ems_contract.telemetry import (
    MAX_SEQ,
    Batch,
    BatchRefusedError,
    Gap,
    Reading,
    check_keys,
    decode_batch,
    encode_batch,
)
from hypothesis import given
from hypothesis import strategies as st

BOOT = str(uuid.UUID(int=7))
keys = st.from_regex(r"[a-z][a-z0-9_]{0,8}\.[a-z][a-z0-9_]{0,8}", fullmatch=True)
values = st.none() | st.floats(allow_nan=False, allow_infinity=False)
readings = st.builds(
    Reading,
    ts=st.integers(0, 2**52),
    values=st.dictionaries(keys, values, max_size=6),
    quality=st.none() | st.dictionaries(keys, st.sampled_from([r.value for r in Reason]), max_size=2),
)
batches = st.builds(
    Batch,
    v=st.just(1),
    edge=st.just("edge_3"),
    boot=st.uuids().map(str),
    seq=st.integers(1, MAX_SEQ),
    sent=st.integers(0, 2**52),
    readings=st.lists(readings, max_size=4),
)


@given(batches)
def test_a_batch_comes_back_bit_for_bit(batch: Batch) -> None:
    payload = encode_batch(batch)
    assert decode_batch(payload, edge="edge_3") == batch
    assert encode_batch(decode_batch(payload)) == payload


def body(**changes: object) -> bytes:
    sound = {
        "v": 1,
        "edge": "edge_3",
        "boot": BOOT,
        "seq": 5,
        "sent": 1,
        "readings": [{"ts": 1, "values": {"a.b": 1}}],
    }
    return json.dumps(sound | changes).encode()


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (body(v=2), "v"),
        (body(edge="edge_4"), "edge"),
        (body(boot="x"), "boot"),
        (body(boot=BOOT.upper().replace("7", "A")), "boot"),
        (body(seq=0), "seq"),
        (body(seq=2**63 - 1), "seq"),
        (body(seq="5"), "batch"),
        (body(readings=[{"ts": 1, "values": {"a.b": "1"}}]), "batch"),
        (body(readings=[{"ts": 1, "values": {}}] * 4097), "readings"),
        (body(gaps=[{"from": 5, "to": 4, "reason": "x"}]), "gaps"),
        (body(gaps=[{"from": 1, "to": 4, "reason": "x", "boot": BOOT}]), "gaps"),
        (b"\xff\xfe", "batch"),
        (b"[" * 100_000, "batch"),
        (b'{}],"type":"telemetry","site":"site_9","batches":[{', "batch"),
        (b'{"v":1,"readings":[{"ts":1,"values":{"a.b":NaN}}]}', "batch"),
        (b" " * 1_048_577, "batch"),
    ],
)
def test_a_bad_batch_is_refused_by_its_field(payload: bytes, field: str) -> None:
    with pytest.raises(BatchRefusedError) as refused:
        decode_batch(payload, edge="edge_3")
    assert refused.value.field == field


def test_a_refused_batch_with_a_readable_head_can_be_closed_up() -> None:
    with pytest.raises(BatchRefusedError) as refused:
        decode_batch(body(readings="none"), edge="edge_3")
    assert (refused.value.boot, refused.value.seq) == (BOOT, 5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_producer_cannot_send_what_is_not_a_number(value: float) -> None:
    with pytest.raises(ValueError, match=r"a\.b"):
        encode_batch(
            Batch(v=1, edge="edge_1", boot=BOOT, seq=1, sent=1, readings=[Reading(ts=1, values={"a.b": value})])
        )


def test_a_gap_is_spelled_from_and_to() -> None:
    assert msgspec.json.encode(Gap(start=1, end=2, reason="edge_down")) == b'{"from":1,"to":2,"reason":"edge_down"}'


@pytest.mark.parametrize("key", ["a.b", "grid_meter.active_power", "a1.b_2.c"])
def test_a_point_key_is_words_joined_by_dots(key: str) -> None:
    assert is_point_key(key)


@pytest.mark.parametrize("key", ["", "a", "A.b", "a.", ".a", "a..b", "a b.c", "a.b\n", "1a.b", "a." + "b" * 96])
def test_anything_else_is_no_point_key(key: str) -> None:
    assert not is_point_key(key)
    with pytest.raises(BatchRefusedError):
        check_keys({key})


def test_quality_follows_from_value_and_reason() -> None:
    assert quality_of(quality_code(1.0, None)) == (Quality.GOOD, None)
    assert quality_of(quality_code(None, None)) == (Quality.BAD, Reason.OTHER)
    assert quality_of(quality_code(None, "timeout")) == (Quality.BAD, Reason.TIMEOUT)
    assert quality_of(quality_code(1.0, "stuck")) == (Quality.UNCERTAIN, Reason.STUCK)
    assert quality_of(quality_code(1.0, "from a newer edge")) == (Quality.UNCERTAIN, Reason.OTHER)
