"""Arithmetic over points, as people write it: read once into functions, then only called. Pure.

    grid_meter.active_power + pv_inverter.active_power
    clamp(battery.state_of_charge - 10, 0, 100) / 90 if battery.status != 4 else 0

Python's own parser reads the text and never runs it: its tree is translated node by node, and whatever is not on the
short list below is refused by name. All numbers are floats, so nothing can grow beyond 64 bits; text and depth are
bounded. A comparison gives 1 or 0, and whatever is not 0 is true.

Only what is needed is looked at: of `a if b else c` one branch, of `and` and `or` the left side first. Where a needed
point has no value the result is that point's reason; a division by 0 is `no_value`, a result that is too large
`out_of_range`.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ems_contract.points import Reason

from ems_edge.decode import Value

MAX_LENGTH = 1_000
MAX_DEPTH = 100
_POINT = re.compile(r"(?<![\w.])[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")

Values = Mapping[str, Value]
_Term = Callable[[Values], float]


class ExpressionError(ValueError):
    """What is wrong with the text, and what to write instead."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


class _NoValueError(Exception):
    def __init__(self, reason: Reason) -> None:
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Expression:
    """`points` are the keys it mentions, in the order of the text."""

    points: tuple[str, ...]
    _term: _Term

    def value(self, values: Values) -> Value:
        """`values` must have every one of `points`. Never raises for what stands in them."""
        try:
            result = self._term(values)
        except _NoValueError as error:
            return error.reason
        except ZeroDivisionError:
            return Reason.NO_VALUE
        except OverflowError:
            return Reason.OUT_OF_RANGE
        return result if math.isfinite(result) else Reason.OUT_OF_RANGE


def parse(text: str) -> Expression:
    """Raises ExpressionError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"has {len(text)} characters", f"use at most {MAX_LENGTH}; derive parts of it first")
    if not text.strip():
        raise ExpressionError("is empty", "write arithmetic over points: grid_meter.active_power / 1000")
    # A point may be called `meter.import`, which Python would not read: points stand in for by names of our own.
    mark = "P"
    while mark in text:
        mark += "P"
    names: dict[str, str] = {}

    def stand_in(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"{mark}{len(names)}")

    plain = _POINT.sub(stand_in, text)
    term = _Reader({name: key for key, name in names.items()}).read(_tree(plain.strip()), 0)
    return Expression(tuple(names), term)


def _tree(plain: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError("is not arithmetic", "look for a missing operator, bracket or point") from None


class _Reader:
    """`keys`: stand-in name -> point key."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys

    def read(self, node: ast.expr, depth: int) -> _Term:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"is nested more than {MAX_DEPTH} deep", "derive parts of it first")
        match node:
            case ast.Constant(value=bool() | str() | bytes() | complex() | None):
                raise ExpressionError(f"{node.value!r:.40} is no number", "write numbers and points")
            case ast.Constant(value=int() | float() as number):
                return _constant(number)
            case ast.Name(id=name):
                return self._point(name)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return _unary(_UNARY[type(op)], self.read(operand, depth + 1))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _binary(_BINARY[type(op)], self.read(left, depth + 1), self.read(right, depth + 1))
            case ast.BoolOp(op=op, values=values):
                return _logical(isinstance(op, ast.And), [self.read(value, depth + 1) for value in values])
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARE for op in ops):
                terms = [self.read(term, depth + 1) for term in (left, *others)]
                return _comparison([_COMPARE[type(op)] for op in ops], terms)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return _choice(*(self.read(part, depth + 1) for part in (test, body, orelse)))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
                return self._call(name, arguments, depth)
        raise ExpressionError(f"{_word(node)} is not allowed here", _ALLOWED)

    def _point(self, name: str) -> _Term:
        key = self._keys.get(name)
        if key is None:
            raise ExpressionError(f"{name!r:.40} is no point", "write points as grid_meter.active_power")
        return _point(key)

    def _call(self, name: str, arguments: list[ast.expr], depth: int) -> _Term:
        function, least, most = _FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}" if most < math.inf else f"{least} or more"
            raise ExpressionError(f"{name} has {len(arguments)} arguments", f"give it {wanted}")
        terms = [self.read(argument, depth + 1) for argument in arguments]
        return lambda values: function(*(term(values) for term in terms))


def _constant(number: float) -> _Term:
    try:
        value = float(number)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ExpressionError("holds a number that is too large", "write numbers below 1e308")
    return lambda _: value


def _point(key: str) -> _Term:
    def read(values: Values) -> float:
        value = values[key]
        if isinstance(value, Reason):
            raise _NoValueError(value)
        return value

    return read


def _unary(operation: Callable[[float], float], term: _Term) -> _Term:
    return lambda values: operation(term(values))


def _binary(operation: Callable[[float, float], float], left: _Term, right: _Term) -> _Term:
    return lambda values: operation(left(values), right(values))


def _logical(every: bool, terms: list[_Term]) -> _Term:
    gather = all if every else any
    return lambda values: float(gather(term(values) for term in terms))


def _comparison(operations: list[Callable[[float, float], bool]], terms: list[_Term]) -> _Term:
    def compare(values: Values) -> float:
        left = terms[0](values)
        for operation, term in zip(operations, terms[1:], strict=True):
            right = term(values)
            if not operation(left, right):
                return 0.0
            left = right
        return 1.0

    return compare


def _choice(test: _Term, body: _Term, orelse: _Term) -> _Term:
    return lambda values: body(values) if test(values) else orelse(values)


def _power(base: float, exponent: float) -> float:
    result = base**exponent
    if isinstance(result, complex):  # the root of a negative number
        raise _NoValueError(Reason.NO_VALUE)
    return float(result)


def _round(value: float, digits: float = 0.0) -> float:
    return float(round(value, int(max(-12.0, min(digits, 12.0)))))


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


_UNARY: Mapping[type[ast.unaryop], Callable[[float], float]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: lambda value: float(not value),
}
_BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_COMPARE: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: Mapping[str, tuple[Callable[..., float], int, float]] = {
    "min": (min, 2, math.inf),
    "max": (max, 2, math.inf),
    "abs": (abs, 1, 1),
    "round": (_round, 1, 2),
    "clamp": (_clamp, 3, 3),
}
"""Name -> function, fewest and most arguments."""

_ALLOWED = "use + - * / ** %, comparisons, and, or, not, a if b else c, min, max, abs, round, clamp"
_WORDS = {ast.Attribute: "an attribute", ast.Subscript: "an index", ast.Lambda: "a function", ast.Tuple: "a list"}


def _word(node: ast.expr) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return f"the function {name!r:.40}"
        case ast.BinOp(op=op) | ast.UnaryOp(op=op):
            return f"the operator {type(op).__name__}"
    return _WORDS.get(type(node), type(node).__name__)
