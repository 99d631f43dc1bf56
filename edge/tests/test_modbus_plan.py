"""As few requests as possible, and never one that a device would refuse."""

from __future__ import annotations

import struct
from itertools import pairwise

from ems_contract.points import Reason
from ems_edge.decode import Codec, Type
from ems_edge.drivers.modbus_plan import MAX_BITS, MAX_WORDS, RegisterSource, plan
from ems_edge.profile import Profiles
from hypothesis import given
from hypothesis import strategies as st


def _point(function: str, address: int, kind: Type) -> RegisterSource:
    kind = Type.BIT if function in ("coil", "discrete") else kind
    states = frozenset({0} if kind is Type.ENUM else ())
    return RegisterSource(f"{function}_{address}_{kind.value}", function, address, Codec(kind, states=states))


points = st.lists(
    st.builds(
        _point,
        st.sampled_from(["holding", "input", "coil", "discrete"]),
        st.integers(0, 400),
        st.sampled_from(Type),
    ),
    max_size=40,
    unique_by=lambda point: point.name,
)


@given(points, st.integers(0, 20))
def test_every_point_is_read_once_within_the_limits(sources: list[RegisterSource], max_gap: int) -> None:
    spans = plan(sources, max_gap)
    assert sorted(point.name for span in spans for point in span.points) == sorted(point.name for point in sources)
    for span in spans:
        assert 1 <= span.count <= (MAX_BITS if span.function in ("coil", "discrete") else MAX_WORDS)
        assert {point.function for point in span.points} == {span.function}
        for point in span.points:
            assert span.address <= point.address
            assert point.address + point.codec.words <= span.address + span.count


@given(points, st.integers(0, 20))
def test_no_request_reads_across_a_wider_gap_and_no_two_could_be_one(
    sources: list[RegisterSource], max_gap: int
) -> None:
    spans = plan(sources, max_gap)
    for span in spans:
        used = {point.address + offset for point in span.points for offset in range(point.codec.words)}
        ordered = sorted(used)
        assert all(later - earlier <= max_gap + 1 for earlier, later in pairwise(ordered))
    for one, two in pairwise(spans):
        if one.function == two.function:
            limit = MAX_BITS if one.function in ("coil", "discrete") else MAX_WORDS
            first = two.points[0]
            assert (
                first.address - (one.address + one.count) > max_gap
                or first.address + first.codec.words - one.address > limit
            )


@given(points, st.integers(0, 20))
def test_a_split_goes_around_the_widest_gap_until_none_is_left(sources: list[RegisterSource], max_gap: int) -> None:
    for span in plan(sources, max_gap):
        left = [span]
        while left:
            part = left.pop()
            halves = part.split()
            left += halves
            if halves:
                assert {point for half in halves for point in half.points} == set(part.points)
                assert sum(half.count for half in halves) < part.count
            else:
                used = {point.address + offset for point in part.points for offset in range(point.codec.words)}
                assert used == set(range(part.address, part.address + part.count))


def test_each_device_of_the_simulator_takes_one_request_for_each_table() -> None:
    profiles = Profiles()
    requests = {}
    for name in ("stl_meter", "stl_inverter", "stl_battery", "stl_hvac"):
        spec = profiles.get(name).spec("device", {}, 5.0)
        sources = [point for point in spec.points if isinstance(point, RegisterSource)]
        requests[name] = [(span.function, span.address, span.count) for span in plan(sources, 8)]
    assert requests == {
        "stl_meter": [("holding", 0, 30)],
        "stl_inverter": [("holding", 0, 13)],
        "stl_battery": [("holding", 0, 20)],
        "stl_hvac": [("holding", 0, 1), ("input", 0, 14)],
    }


def test_a_span_decodes_each_point_from_its_own_words() -> None:
    sources = [_point("holding", 10, Type.UINT16), _point("holding", 12, Type.UINT32)]
    (span,) = plan(sources, max_gap=4)
    answer = struct.pack(">BB4H", 3, 8, 7, 999, 1, 2)
    assert span.decode(answer) == {"holding_10_uint16": 7.0, "holding_12_uint32": 65538.0}
    assert set(span.decode(answer[:-2]).values()) == {Reason.GARBLED}
