"""Schemathesis against the API's own description: no 5xx, no status, content type or body that it does not describe.

Knows no Django: the caller says how a case is sent, so the same serves the tests (in this process, rolled back) and
the experiment on a whole stack.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

Send = Callable[[Case[Any]], Response]
Ids = Mapping[str, Sequence[int | str]]
"""`{"site": [7, 8], "edge": [3]}`: ids that are taken half of the time, so that not every answer is a 404."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_PLACE = re.compile(r"/(?P<collection>[a-z-]+)/\{(?P<parameter>\w+)\}")
_ALIASES = {"parent": "asset", "site_acces": "site_access", "sandboxe": "sandbox"}


@dataclass
class Report:
    """`failures`: one sentence for each kind of failure of an operation -> how to do it again."""

    calls: int = 0
    operations: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def count(self, check: str) -> int:
        """How many kinds of failures of this class there are: `ServerError`, `UndefinedStatusCode`, ..."""
        return sum(f": {check}: " in sentence for sentence in self.failures)

    def add(self, other: Report) -> None:
        self.calls += other.calls
        self.operations = max(self.operations, other.operations)
        self.statuses += other.statuses
        self.failures |= other.failures


def fuzz(
    document: dict[str, Any],
    send: Send,
    *,
    examples: int,
    ids: Ids,
    without: Iterable[str] = (),
    only: Iterable[str] | None = None,
) -> Report:
    """`examples` valid and half as many invalid calls of each operation, the same at each run."""
    report = Report()
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # raises for what cannot be read
        name = str(operation.definition.raw["operationId"])
        if name in set(without) or (only is not None and name not in only):
            continue
        report.operations += 1
        has_input = bool(operation.body) or any(True for _ in operation.iter_parameters())
        modes = {GenerationMode.POSITIVE: examples} | ({GenerationMode.NEGATIVE: examples // 2} if has_input else {})
        for mode, number in modes.items():
            _run(operation.as_strategy(generation_mode=mode), max(1, number), name, send, ids, report)
    return report


def _run(
    strategy: st.SearchStrategy[Case[Any]], examples: int, name: str, send: Send, ids: Ids, report: Report
) -> None:
    @seed(20_260_329)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, chance=st.randoms(use_true_random=False))
    def once(case: Case[Any], chance: Random) -> None:
        _place(case, ids, chance)
        response = send(case)
        report.calls += 1
        report.statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                if isinstance(failure, Failure):
                    told = f"{name}: {type(failure).__name__}: {response.status_code} {failure.message[:200]}"
                    report.failures.setdefault(told, f"{case.as_curl_command()}\n{response.text[:500]}")

    once()


def _place(case: Case[Any], ids: Ids, chance: Random) -> None:
    """Put ids of rows that exist where ids are asked for."""
    for match in _PLACE.finditer(case.path):
        known = ids.get(_thing(match["collection"]), ())
        if known and chance.random() < 0.7:
            case.path_parameters[match["parameter"]] = chance.choice(known)
    for container in (case.query, case.body):
        _place_in(container, ids, chance)


def _place_in(value: Any, ids: Ids, chance: Random) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            known = ids.get(_thing(str(name)), ())
            if known and isinstance(inner, int) and chance.random() < 0.5:
                value[name] = chance.choice(known)
            else:
                _place_in(inner, ids, chance)
    elif isinstance(value, list):
        for inner in value:
            _place_in(inner, ids, chance)


def _thing(name: str) -> str:
    """`edge-keys` -> `edge_key`, `parent` -> `asset`"""
    singular = name.removesuffix("s").replace("-", "_")
    return _ALIASES.get(singular, singular)
