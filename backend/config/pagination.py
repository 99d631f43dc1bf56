"""Lists have one shape: `{count, next, previous, results}`. Links are relative, so they hold behind any proxy."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response


def _relative(link: str | None, host: str) -> str | None:
    return link.removeprefix(host) if link else None


class Pages(PageNumberPagination):
    """`?page=2&page_size=50`; at most 500 rows a page."""

    page_size_query_param = "page_size"
    max_page_size = 500

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "description": "Relative to this server.", "example": None}
        return {
            "type": "object",
            "properties": {
                "count": {"type": "integer", "description": "Rows on all pages.", "example": 1},
                "next": link,
                "previous": link,
                "results": schema,
            },
            "required": ["count", "next", "previous", "results"],
        }

    def get_paginated_response(self, data: Any) -> Response:
        if self.request is None or self.page is None:
            raise RuntimeError("paginate_queryset sets both, and comes first")
        host = self.request.build_absolute_uri("/").rstrip("/")
        return Response(
            {
                "count": self.page.paginator.count,
                "next": _relative(self.get_next_link(), host),
                "previous": _relative(self.get_previous_link(), host),
                "results": data,
            }
        )


def whole(results: Collection[Any]) -> Response:
    """A list that is always sent as one page."""
    return Response({"count": len(results), "next": None, "previous": None, "results": results})
