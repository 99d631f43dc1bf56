"""Lists are filtered and ordered by what they declare; anything else in the address is refused by name.

class SiteFilters(Filters):
    organization = AmongVisible(Organization)
    ordering = Ordering("name", "created")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.settings import api_settings
from rest_framework.views import APIView

OF_PAGES = ("page", "page_size")
ABSENT = "It does not exist, or you may not see it."
"""Of an id in a body or an address, whether it is foreign or was never given."""


class Filters(FilterSet):
    """The base of every filter set. Fields are declared one by one; nothing is derived from a model."""


class FilterBackend(DjangoFilterBackend):
    """A parameter that is not declared is a 400: a misspelt filter must not answer with everything."""

    def filter_queryset[M: Model](self, request: Any, queryset: QuerySet[M], view: APIView) -> QuerySet[M]:
        filters = self.get_filterset_class(view, queryset)
        known = {*(filters.base_filters if filters else ()), *OF_PAGES, api_settings.URL_FORMAT_OVERRIDE}
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            allowed = ", ".join(sorted(known - {api_settings.URL_FORMAT_OVERRIDE}))
            raise ValidationError({name[:100]: [f"There is no such filter; use {allowed}."] for name in unknown[:20]})
        found: QuerySet[M] = super().filter_queryset(request, queryset, view)
        return found


class Ordering(django_filters.OrderingFilter):
    """`?ordering=name,-created`. Arguments are columns, or names in the address mapped to a path of the model.

    Equal rows come in the order of their ids, so that no page shows a row twice.
    """

    def __init__(self, *columns: str, **paths: str) -> None:
        super().__init__(fields=[*((name, name) for name in columns), *((path, name) for name, path in paths.items())])

    def filter[M: Model](self, qs: QuerySet[M], value: Any) -> QuerySet[M]:
        if not value:
            return qs
        return qs.order_by(*(self.get_ordering_value(each) for each in value), "pk")


class AmongVisible(django_filters.ModelChoiceFilter):
    """An id of a model with a door: a foreign one is refused in the same words as one that does not exist."""

    def __init__(self, model: Any, **options: Any) -> None:
        options.setdefault("label", f"Id of one of the {model._meta.verbose_name_plural} that you may see.")
        rows: Any = _visible(model)  # the stubs know querysets only
        super().__init__(queryset=rows, error_messages={"invalid_choice": ABSENT}, **options)


def _visible(model: Any) -> Callable[[HttpRequest | None], QuerySet[Any]]:
    def rows(request: HttpRequest | None) -> QuerySet[Any]:
        """`request` is None while the API is being described."""
        access = getattr(request, "auth", None)
        objects = model._default_manager
        found: QuerySet[Any] = objects.opened("nobody asks").none() if access is None else objects.visible_to(access)
        return found

    return rows
