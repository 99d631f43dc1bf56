"""The operations of the API, read from the description that the code generates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.urls import URLPattern, URLResolver
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """`description` is the operation's own part of the document, `components` what it refers to."""

    id: str
    method: str
    path: str
    description: Mapping[str, Any]
    components: Mapping[str, Any]

    @cached_property
    def successes(self) -> frozenset[int]:
        return frozenset(status for status in self.statuses if status < 300)

    @cached_property
    def statuses(self) -> frozenset[int]:
        return frozenset(int(status) for status in self.description["responses"] if status.isdecimal())

    def parameters(self, place: str) -> list[Mapping[str, Any]]:
        """Those of `path` or `query`."""
        return [one for one in self.description.get("parameters", []) if one["in"] == place]

    @cached_property
    def body(self) -> Mapping[str, Any] | None:
        """The schema of the JSON body, resolved one level; None without one."""
        content = self.description.get("requestBody", {}).get("content", {})
        return self.resolve(content["application/json"]["schema"]) if "application/json" in content else None

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self.components[schema["$ref"].rpartition("/")[2]]
        return schema


def operations(patterns: Sequence[URLPattern | URLResolver] | None = None) -> Iterator[Operation]:
    """Of the product's addresses, or of other URL patterns."""
    document = SchemaGenerator(patterns=patterns).get_schema(public=True)  # type: ignore[no-untyped-call]
    for path, methods in document["paths"].items():
        for method, description in methods.items():
            yield Operation(description["operationId"], method, path, description, document["components"]["schemas"])
