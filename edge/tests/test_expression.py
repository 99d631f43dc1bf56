"""Expressions: what they compute, what has no value, and what is refused."""

from __future__ import annotations

import math

import pytest
from ems_contract.points import Reason
from ems_edge.decode import Value
from ems_edge.expression import MAX_LENGTH, ExpressionError, parse
from hypothesis import given
from hypothesis import strategies as st

POINTS: dict[str, Value] = {"grid.power": 1200.0, "pv.power": 300.0, "pv.off": Reason.TIMEOUT, "meter.import": 7.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("grid.power + pv.power", 1500.0),
        ("-grid.power / 1000 * 2", -2.4),
        ("2 ** 3 ** 2 % 500", 12.0),
        ("grid.power > 1000 and not pv.power > 1000", 1.0),
        ("0 < pv.power < 300", 0.0),
        ("pv.power == 300 or pv.off", 1.0),
        ("grid.power if pv.power else pv.off", 1200.0),
        ("clamp(grid.power, 0, 1e3) + min(1, 2, 3) + max(4, pv.power) + abs(-1) + round(2.345, 2)", 1304.35),
        ("round(2.5)", 2.0),
        ("meter.import * 1E2", 700.0),
        ("\n grid.power\n", 1200.0),
    ],
)
def test_arithmetic_over_points(text: str, value: float) -> None:
    assert parse(text).value(POINTS) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("grid.power + pv.off", Reason.TIMEOUT),
        ("pv.off and 0", Reason.TIMEOUT),
        ("1 / (pv.power - 300)", Reason.NO_VALUE),
        ("1 % (pv.power - 300)", Reason.NO_VALUE),
        ("0 ** -1", Reason.NO_VALUE),
        ("(-grid.power) ** 0.5", Reason.NO_VALUE),
        ("grid.power ** 500", Reason.OUT_OF_RANGE),
        ("1e308 * 10", Reason.OUT_OF_RANGE),
        ("9 ** 9 ** 9 ** 9", Reason.OUT_OF_RANGE),
    ],
)
def test_what_has_no_value_says_why(text: str, reason: Reason) -> None:
    assert parse(text).value(POINTS) is reason


def test_only_the_points_it_mentions_are_its_points() -> None:
    assert parse("pv.power + grid.power * pv.power").points == ("pv.power", "grid.power")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is empty"),
        ("grid.power +", "not arithmetic"),
        ("grid.power pv.power", "not arithmetic"),
        ("power", "'power' is no point"),
        ("__import__('os').system('true')", "not allowed"),
        ("().__class__", "an attribute"),
        ("(1).real", "an attribute"),
        ("grid.power.__class__", "an attribute"),
        ("grid.power[0]", "an index"),
        ("open(1)", "the function 'open'"),
        ("lambda: 1", "a function"),
        ("[x for x in (1,2)]", "not allowed"),
        ("(a := 1)", "not allowed"),
        ("f'{1}'", "not allowed"),
        ("'text'", "no number"),
        ("True", "no number"),
        ("1j", "no number"),
        ("None", "no number"),
        ("1 is 1", "not allowed"),
        ("5 // 2", "the operator FloorDiv"),
        ("1 << 999", "the operator LShift"),
        ("~1", "the operator Invert"),
        ("min(1)", "min has 1 arguments"),
        ("clamp(1, 2)", "give it 3"),
        ("max(*grid.power)", "max has 1 arguments"),
        ("max(1, *grid.power)", "not allowed"),
        ("round(1, ndigits=2)", "the function 'round'"),
        ("P0", "no point"),
        ("grid.power if P0 else 1", "no point"),
        ("1" * 400, "too large"),
        ("1+" * (MAX_LENGTH // 2) + "11", "characters"),
        ("-" * 900 + "1", "nested"),
        ("(" * 400 + "1" + ")" * 400, "not arithmetic"),
        ("1 +" * 200 + "1", "nested"),
        ("\x00", "not arithmetic"),
    ],
)
def test_what_is_not_arithmetic_is_refused_with_a_remedy(text: str, word: str) -> None:
    with pytest.raises(ExpressionError, match=r".+; .+") as caught:
        parse(text)
    assert word in str(caught.value)


@given(st.text(alphabet="grid.power pv()+-*/%<>=!,0123456789eandorifelsmxbch\n", max_size=80))
def test_whatever_is_written_it_is_refused_or_gives_a_number_or_a_reason(text: str) -> None:
    try:
        expression = parse(text)
    except ExpressionError:
        return
    result = expression.value(dict.fromkeys(expression.points, 2.0))
    assert isinstance(result, Reason) or math.isfinite(result)
