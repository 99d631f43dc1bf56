"""Pages of the audit log: fast on millions of events, because a page begins where the last one ended.

`?page=` is a place in the log, taken from `next` or `previous`; there are no page numbers. Events that are written
meanwhile move nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from audit.models import AuditEvent

COUNT_UP_TO = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(older|newer)-(\d{1,16})-(\d{1,18})\Z")

Events = QuerySet[AuditEvent]


@dataclass(frozen=True)
class Place:
    """Between two events, beside the one of this time and id. `newer`: the page before it in a list of newest first."""

    at: datetime
    id: int
    newer: bool = False

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises ValueError."""
        found = _PLACE.match(text)
        if found is None:
            raise ValueError(f"{text[:50]!r} is no place in the log")
        return cls(_EPOCH + timedelta(microseconds=int(found[2])), int(found[3]), found[1] == "newer")

    def __str__(self) -> str:
        return f"{'newer' if self.newer else 'older'}-{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"

    def page(self, events: Events, size: int) -> list[AuditEvent]:
        """The events next to this place, newest first."""
        if self.newer:
            rows = events.filter(at__gte=self.at).exclude(at=self.at, id__lte=self.id)
            return list(rows.order_by("at", "id")[:size])[::-1]
        rows = events.filter(at__lte=self.at).exclude(at=self.at, id__gte=self.id)
        return list(rows.order_by("-at", "-id")[:size])


def newest(events: Events, size: int) -> list[AuditEvent]:
    return list(events.order_by("-at", "-id")[:size])


def walk(events: Events, size: int = 2_000) -> Iterator[AuditEvent]:
    """All of them, newest first, a page at a time: a slow reader keeps no transaction open."""
    page = newest(events, size)
    while page:
        yield from page
        page = Place(page[-1].at, page[-1].id).page(events, size) if len(page) == size else []


class AuditPages(BasePagination):
    """`count` stops at 10,000. Raises NotFound for a place that is none."""

    default_size = 100
    most = 500

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> Any:
        self.request = request
        size, text = self._size(request), request.query_params.get("page", "")
        try:
            place = Place.of(text) if text else None
        except (ValueError, OverflowError) as error:
            raise NotFound("There is no such page; take one from `next` or `previous`.") from error
        rows = place.page(queryset, size + 1) if place else newest(queryset, size + 1)
        back = place is not None and place.newer
        more = len(rows) > size
        page = rows[-size:] if back else rows[:size]
        self.older = (more or back) and bool(page)
        self.newer = (more if back else place is not None) and bool(page)
        self.count = len(page) if place is None and not more else self._count(queryset)
        self.page = page
        return page

    def get_paginated_response(self, data: Any) -> Response:
        page = self.page
        links = {
            "next": self._link(Place(page[-1].at, page[-1].id)) if self.older else None,
            "previous": self._link(Place(page[0].at, page[0].id, newer=True)) if self.newer else None,
        }
        return Response({"count": self.count, **links, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "description": "Relative to this server.", "example": None}
        count = {"type": "integer", "description": f"Of all pages; not counted past {COUNT_UP_TO}.", "example": 1}
        return {
            "type": "object",
            "properties": {"count": count, "next": link, "previous": link, "results": schema},
            "required": ["count", "next", "previous", "results"],
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        page = "A place in the log, taken from `next` or `previous`; without it, the newest events."
        size = f"Events on a page, {self.default_size} unless told, at most {self.most}."
        return [
            {"name": "page", "in": "query", "required": False, "description": page, "schema": {"type": "string"}},
            {"name": "page_size", "in": "query", "required": False, "description": size, "schema": {"type": "integer"}},
        ]

    def _size(self, request: Request) -> int:
        text = request.query_params.get("page_size", "")
        return min(int(text), self.most) if text.isdecimal() and len(text) < 10 and int(text) else self.default_size

    def _count(self, events: Events) -> int:
        return events.order_by()[:COUNT_UP_TO].count()

    def _link(self, place: Place) -> str:
        return replace_query_param(self.request.get_full_path(), "page", str(place))
