"""Requests are planned: all that is wanted, once, in messages that the device can take."""

from __future__ import annotations

from ems_edge.decode import Scaling
from ems_edge.drivers.bacnet_plan import PRESENT_VALUE, STATUS_FLAGS, Limits, ObjectSource, Request, split, wanted
from hypothesis import given
from hypothesis import strategies as st

PLAIN = Scaling()
INCREMENT = 22


def inputs(count: int) -> list[ObjectSource]:
    return [ObjectSource(f"input_{number}", (0, number), PRESENT_VALUE, PLAIN) for number in range(count)]


def test_a_present_value_comes_with_its_status_flags() -> None:
    (analog,) = inputs(1)
    increment = ObjectSource("increment", (0, 0), INCREMENT, PLAIN)
    twice = ObjectSource("same", (0, 0), PRESENT_VALUE, Scaling(scale=1000))
    assert wanted([analog, increment, twice]) == (((0, 0), (PRESENT_VALUE, STATUS_FLAGS, INCREMENT)),)
    assert wanted([analog, increment], flagless={(0, 0)}) == (((0, 0), (PRESENT_VALUE, INCREMENT)),)


def test_a_device_of_usual_size_is_one_request_on_ethernet() -> None:
    assert len(split(wanted(inputs(40)), Limits(apdu=1476))) == 1
    assert len(split(wanted(inputs(180)), Limits(apdu=1476, segmented=True))) == 2
    assert len(split(wanted(inputs(40)), Limits(apdu=206))) == 6


def test_objects_that_spoil_a_request_are_asked_for_alone() -> None:
    parts = split(wanted(inputs(5)), Limits(), alone={(0, 2)})
    assert [[found[1] for found, _ in part] for part in parts] == [[0, 1], [2], [3, 4]]


def test_without_read_property_multiple_each_property_is_a_request() -> None:
    parts = split(wanted(inputs(2)), Limits(multiple=False))
    assert parts == [
        (((0, 0), (PRESENT_VALUE,)),),
        (((0, 0), (STATUS_FLAGS,)),),
        (((0, 1), (PRESENT_VALUE,)),),
        (((0, 1), (STATUS_FLAGS,)),),
    ]


def asked(parts: list[Request]) -> list[tuple[tuple[int, int], int]]:
    return [(found, number) for part in parts for found, numbers in part for number in numbers]


@given(
    st.lists(st.tuples(st.tuples(st.integers(0, 5), st.integers(0, 9)), st.sampled_from([PRESENT_VALUE, 22, 103]))),
    st.integers(50, 1476),
    st.booleans(),
    st.booleans(),
    st.sets(st.tuples(st.integers(0, 5), st.integers(0, 9))),
)
def test_everything_is_asked_for_once_and_no_request_is_longer_than_the_device_takes(
    points: list[tuple[tuple[int, int], int]], apdu: int, segmented: bool, multiple: bool, alone: set[tuple[int, int]]
) -> None:
    sources = [ObjectSource(str(number), *point, PLAIN) for number, point in enumerate(points)]
    request = wanted(sources)
    parts = split(request, Limits(apdu, segmented, multiple), alone)
    assert asked(parts) == asked([request])
    assert set(points) <= set(asked(parts))
    for part in parts:
        assert len(part) == 1 or sum(7 + 2 * len(numbers) for _, numbers in part) <= apdu - 12
        assert len(part) == 1 or not alone & {found for found, _ in part}


def test_a_device_that_cannot_answer_so_much_is_asked_for_less_until_one_by_one() -> None:
    limits = Limits(apdu=1476, segmented=True)
    steps = []
    for _ in range(8):
        steps.append(len(split(wanted(inputs(40)), limits)))
        limits = limits.smaller()
    assert steps == sorted(steps)
    assert steps[-1] == 40
