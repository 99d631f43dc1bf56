"""The arithmetic of a derived point, checked where it is written: which points it needs, and that it is arithmetic.

The edge reads it again, and computes it; see its `expression.py`. Nothing is run here.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence

LONGEST = 1_000
FUNCTIONS = ("min", "max", "abs", "round", "clamp")
_POINT = re.compile(r"(?<![\w.])[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_ALLOWED = (
    *(ast.Expression, ast.Load, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.And, ast.Or, ast.Not, ast.UAdd, ast.USub),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.Pow, ast.Compare, ast.IfExp),
    *(ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq),
)
_REMEDY = "use points, numbers, + - * / ** %, comparisons, and, or, not, a if b else c, " + ", ".join(FUNCTIONS)


def points_of(text: str) -> list[str]:
    """The keys that it mentions. Raises ValueError with a sentence."""
    if not 0 < len(text.strip()) <= LONGEST:
        raise ValueError(f"Write 1 to {LONGEST} characters of arithmetic over points.")
    keys = list(dict.fromkeys(_POINT.findall(text)))
    mark = "P"
    while mark in text:
        mark += "P"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # `meter.import` is a point, and nothing that Python would read.
            tree = ast.parse(_POINT.sub(mark, text).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("This is no arithmetic; look for a missing operator, bracket or point.") from None
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    if not all(_is_allowed(node, FUNCTIONS if id(node) in called else (mark,)) for node in ast.walk(tree)):
        raise ValueError(f"This is more than arithmetic; {_REMEDY}.")
    return keys


def _is_allowed(node: ast.AST, names: Sequence[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name in names
        case ast.Call(func=ast.Name(), keywords=[]):
            return True
        case ast.Constant(value=bool()):
            return False
        case ast.Constant(value=int() | float()):
            return True
    return isinstance(node, _ALLOWED)
