"""BACnet's values: what the standard's encodings mean, and what is written for a value."""

from __future__ import annotations

import math
from typing import Any

import pytest
from bacpypes3.primitivedata import (
    BitString,
    Boolean,
    CharacterString,
    Double,
    Enumerated,
    Integer,
    Null,
    ObjectIdentifier,
    OctetString,
    Real,
    Unsigned,
)
from ems_contract.points import Reason
from ems_edge.decode import Scaling
from ems_edge.drivers.bacnet_plan import COV_INCREMENT, OBJECT_TYPES, PRESENT_VALUE, ObjectSource
from ems_edge.drivers.bacnet_values import DOUBLE, ENUMERATED, INTEGER, REAL, UNSIGNED, encode, flags, number, value_of
from hypothesis import given
from hypothesis import strategies as st

FAULT, OVERRIDDEN, OUT_OF_SERVICE = 0x40, 0x20, 0x10


def tags(value: Any) -> list[Any]:
    """As bacpypes3 encodes it."""
    return list(value.encode())


def source(kind: str, property_number: int = PRESENT_VALUE, **scaling: Any) -> ObjectSource:
    return ObjectSource("point", (OBJECT_TYPES[kind], 1), property_number, Scaling(**scaling))


@given(st.floats(width=32, allow_nan=False))
def test_a_real_is_the_number_it_was(value: float) -> None:
    assert number(tags(Real(value))) == value


@given(st.floats(allow_nan=False), st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_every_number_is_read_by_its_own_tag(double: float, unsigned: int, integer: int) -> None:
    assert number(tags(Double(double))) == double
    assert number(tags(Unsigned(unsigned))) == unsigned
    assert number(tags(Enumerated(unsigned))) == unsigned
    assert number(tags(Integer(integer))) == integer


def test_null_is_no_value_and_what_is_no_number_is_garbled() -> None:
    assert number(tags(Null(()))) is Reason.NO_VALUE
    assert number(tags(Boolean(True))) == 1.0
    assert number([]) is Reason.GARBLED
    assert number([*tags(Real(1.0)), *tags(Real(2.0))]) is Reason.GARBLED
    for other in (CharacterString("warm"), OctetString(b"\1"), ObjectIdentifier(("device", 1)), BitString([1, 0])):
        assert number(tags(other)) is Reason.GARBLED


@given(st.integers(0, 15), st.binary(max_size=12))
def test_no_bytes_under_any_tag_raise(tag_number: int, data: bytes) -> None:
    class Tag:
        tag_class, tag_lvt = 0, len(data)

    Tag.tag_number, Tag.tag_data = tag_number, data  # type: ignore[attr-defined]
    found = number([Tag()])  # type: ignore[list-item]
    assert isinstance(found, float | Reason)
    assert 0 <= flags([Tag()]) <= 255  # type: ignore[list-item]


def test_status_flags_are_one_byte() -> None:
    assert flags(tags(BitString([0, 1, 0, 1]))) == FAULT | OUT_OF_SERVICE
    assert flags(tags(Real(1.0))) == flags([]) == 0


@pytest.mark.parametrize(
    ("kind", "status", "value"),
    [
        ("analog-input", 0, 20.0),
        ("analog-input", OVERRIDDEN, 20.0),
        ("analog-input", FAULT, Reason.NO_VALUE),
        ("analog-input", OUT_OF_SERVICE, Reason.NO_VALUE),
        ("analog-output", OUT_OF_SERVICE, Reason.NO_VALUE),
        ("analog-value", OUT_OF_SERVICE, 20.0),
        ("analog-value", FAULT, Reason.NO_VALUE),
    ],
)
def test_status_decides_whether_a_present_value_is_one(kind: str, status: int, value: Any) -> None:
    assert value_of(source(kind), 20.0, status) == value


def test_status_says_nothing_of_other_properties_and_limits_hold() -> None:
    assert value_of(source("analog-input", COV_INCREMENT), 0.5, FAULT) == 0.5
    assert value_of(source("analog-input", maximum=10.0), 20.0) is Reason.OUT_OF_RANGE
    assert value_of(source("analog-input"), math.nan) is Reason.NO_VALUE
    assert value_of(source("multi-state-value", states=frozenset({1, 2})), 3.0) is Reason.OUT_OF_RANGE
    assert value_of(source("analog-input", scale=1000.0), Reason.GARBLED) is Reason.GARBLED


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("analog-value", 21.5, (REAL, 21.5)),
        ("analog-output", 0.1, (REAL, 0.10000000149011612)),
        ("large-analog-value", 0.1, (DOUBLE, 0.1)),
        ("integer-value", -3, (INTEGER, -3)),
        ("positive-integer-value", 7, (UNSIGNED, 7)),
        ("binary-value", 1, (ENUMERATED, 1)),
        ("multi-state-output", 3, (UNSIGNED, 3)),
    ],
)
def test_a_value_is_written_as_its_object_keeps_it(kind: str, value: float, written: tuple[int, float]) -> None:
    assert encode(source(kind), value) == written


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("analog-value", math.nan, "is not a number"),
        ("analog-value", 1e300, "32-bit float"),
        ("binary-value", 2, "is not 0 or 1"),
        ("multi-state-value", 0, "is not between 1"),
        ("positive-integer-value", -1, "is not between 0"),
        ("integer-value", 2**40, "is not between"),
    ],
)
def test_a_value_that_the_object_cannot_hold_is_refused(kind: str, value: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        encode(source(kind), value)


@given(st.floats(-1e6, 1e6), st.sampled_from([0.1, 1.0, 3.6, 1000.0]), st.floats(-100, 100))
def test_what_is_written_is_read_back(value: float, scale: float, offset: float) -> None:
    point = source("large-analog-value", scale=scale, offset=offset)
    tag, raw = encode(point, value)
    assert tag == DOUBLE
    assert value_of(point, raw) == pytest.approx(value, rel=1e-9, abs=1e-6)
