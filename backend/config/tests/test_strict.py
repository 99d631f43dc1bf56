"""What a body may say: `config.strict`."""

from __future__ import annotations

import math
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from config.strict import MOST_NAMED, READ_ONLY, UNKNOWN, FiniteField, StrictSerializer


class Inner(StrictSerializer[Any]):
    size = FiniteField()


class Outer(StrictSerializer[Any]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=5)
    inner = Inner(required=False)


def errors_of(body: object) -> Any:
    serializer = Outer(data=body)
    with pytest.raises(ValidationError) as refused:
        serializer.is_valid(raise_exception=True)
    return refused.value.detail


def test_what_is_declared_is_read() -> None:
    serializer = Outer(data={"name": "a", "inner": {"size": 1}})
    serializer.is_valid(raise_exception=True)
    assert serializer.validated_data == {"name": "a", "inner": {"size": 1.0}}


def test_an_unknown_field_and_one_that_cannot_be_set_are_named() -> None:
    assert errors_of({"name": "a", "is_superuser": True, "id": 7}) == {"is_superuser": [UNKNOWN], "id": [READ_ONLY]}


def test_they_are_named_beside_what_else_is_wrong() -> None:
    assert set(errors_of({"name": "too long", "role": "root"})) == {"name", "role"}


def test_a_nested_field_is_named_by_its_place() -> None:
    assert errors_of({"name": "a", "inner": {"size": 1, "role": "root"}}) == {"inner": {"role": [UNKNOWN]}}


@pytest.mark.parametrize("body", [[], "x", 7, None])
def test_what_is_no_object_is_refused(body: object) -> None:
    assert errors_of(body)


def test_an_answer_about_a_thousand_unknown_fields_is_short() -> None:
    detail = errors_of({"name": "a", **{f"{'x' * 1000}{n}": 1 for n in range(1000)}})
    assert len(detail) <= MOST_NAMED
    assert all(len(name) <= 100 for name in detail)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "NaN", "1e999", "Infinity", True, "x", None])
def test_a_number_is_finite(value: object) -> None:
    assert set(errors_of({"name": "a", "inner": {"size": value}})) == {"inner"}
