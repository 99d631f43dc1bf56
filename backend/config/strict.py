"""Bodies are read strictly: a field that is unknown or cannot be set is refused by name, never passed over in silence.

So nobody believes that something was changed which was not, and no body carries a role or an owner along.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from config.filters import ABSENT

UNKNOWN = "There is no such field."
READ_ONLY = "This field cannot be set."
MOST_NAMED = 20
LONGEST_NAME = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

if TYPE_CHECKING:
    _Base = serializers.Serializer[Any]
else:
    _Base = object


class Strict(_Base):
    """Before DRF's own serializer in the bases. Raises ValidationError naming every such field, beside DRF's own."""

    def to_internal_value(self, data: Any) -> Any:
        refused = dict(self._refused(data)) if isinstance(data, Mapping) else {}
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            if not refused or not isinstance(error.detail, dict):
                raise
            raise ValidationError({**error.detail, **refused}) from None
        if refused:
            raise ValidationError(refused)
        return values

    def _refused(self, data: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
        named = 0
        for name in data:
            field = self.fields.get(name)
            if field is not None and not field.read_only:
                continue
            yield str(name)[:LONGEST_NAME], [UNKNOWN if field is None else READ_ONLY]
            named += 1
            if named == MOST_NAMED:
                return


class StrictSerializer[T](Strict, serializers.Serializer[T]):
    """A body, or an answer, that belongs to no model."""


class StrictModelSerializer[M: Model](Strict, serializers.ModelSerializer[M]):
    """A row. Declare `fields`, and `read_only_fields` for whatever the caller may not write."""


class FiniteField(serializers.FloatField):
    """A number that JSON can carry back: neither NaN nor infinite, which `"NaN"` and `1e999` would become."""

    default_error_messages = {"finite": "Write a finite number."}  # noqa: RUF012  DRF's own spelling

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        number = super().to_internal_value(data)
        if not math.isfinite(number):
            self.fail("finite")
        return number


class NameField(serializers.CharField):
    """One line of text that reads as it is written: no control characters, no changes of direction."""

    default_error_messages = {"control": "Write one line without control characters."}  # noqa: RUF012  DRF's own

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 200, **options})

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if _CONTROL.search(text):
            self.fail("control")
        return text


class ShortListField(serializers.ListField):
    """Declare `max_length`. Counted before its members are read, so that a million of them cost nothing: each may be a
    query."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            raise ValidationError(f"{len(data)} at once; at most {self.max_length} are taken.")
        return super().to_internal_value(data)


class RowField(serializers.PrimaryKeyRelatedField[Any]):
    """An id in a body: a foreign one is refused in the words of one that does not exist."""

    default_error_messages = {"does_not_exist": ABSENT, "incorrect_type": "Write an id."}  # noqa: RUF012

    def __init__(self, model: Any, **options: Any) -> None:
        self._model = model
        super().__init__(**({} if options.get("read_only") else {"queryset": model.objects.none()}), **options)

    def get_queryset(self) -> Any:
        return self._model.objects.visible_to(self.context["access"])

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("incorrect_type")
        if not 0 < data < 2**63:
            self.fail("does_not_exist")
        return super().to_internal_value(data)
