"""The audit log over REST: what happened, who did it, what it was before and is after.

An org admin reads the events of the organizations they administer, a platform admin all; nobody else any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import django_filters
import psycopg
from django import forms
from django.db import OperationalError, connections, transaction
from django.db.models import Q
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import audit
from accounts.access import Access
from accounts.audit_files import as_csv, as_ndjson
from accounts.audit_pages import AuditPages, Events, walk
from accounts.authentication import access_in
from audit.models import AuditEvent, Person
from config.filters import FilterBackend, Filters
from config.problems import WHOLE

TAGS = ["audit"]
PATIENCE_SECONDS = 10
FORMATS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


def visible_to(access: Access) -> Events:
    """The guarded door of the log."""
    if access.platform_admin:
        return AuditEvent.objects.opened("platform admin")
    own = AuditEvent.objects.opened("the organizations that the caller administers")
    return own.filter(organization_id__in=access.administered if access.token is None else ())


class AuditReaders(BasePermission):
    """Org admins and platform admins, with a login."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        access = request.auth
        if not isinstance(access, Access) or access.token is not None:
            return False
        return access.platform_admin or bool(access.administered)


@extend_schema_field({"type": ["string", "null"], "description": "Where it came from.", "example": "192.0.2.7"})
class Address(serializers.IPAddressField):
    """Version 4 or 6."""


class EventSerializer(serializers.ModelSerializer[AuditEvent]):
    """`before` and `after` have the columns that changed; all of them where the row was made or deleted."""

    actor = serializers.CharField(
        source="actor_name",
        help_text="E-mail address, `edge_3`, `command migrate`, `database postgres`; empty: nobody.",
    )
    actor_id = serializers.IntegerField(allow_null=True, help_text="Of the user, if one acted.")
    organization = serializers.IntegerField(source="organization_id", allow_null=True)
    site = serializers.IntegerField(source="site_id", allow_null=True)
    target = serializers.CharField(source="target_name", help_text="What it was done to, in words.")
    target_id = serializers.IntegerField(allow_null=True, help_text="The id of its row.")
    address = Address(allow_null=True)
    before = serializers.SerializerMethodField()
    after = serializers.SerializerMethodField()
    details = serializers.SerializerMethodField()

    class Meta:
        model = AuditEvent
        fields = (
            "id",
            "at",
            "action",
            "outcome",
            "actor",
            "actor_id",
            "organization",
            "site",
            "target",
            "target_id",
            "address",
            "request_id",
            "before",
            "after",
            "details",
        )
        extra_kwargs: Mapping[str, Any] = {
            "action": {"help_text": "`<noun>.<verb>`, such as `site_access.changed`."},
        }

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": {}, "example": {"role": "viewer"}})
    def get_before(self, event: AuditEvent) -> dict[str, Any] | None:
        return event.told("before")

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": {}, "example": {"role": "operator"}})
    def get_after(self, event: AuditEvent) -> dict[str, Any] | None:
        return event.told("after")

    @extend_schema_field({"type": "object", "additionalProperties": {}, "example": {}})
    def get_details(self, event: AuditEvent) -> dict[str, Any]:
        return event.told("details") or {}


class Id(django_filters.NumberFilter):
    """A whole number that a column of ids can hold."""

    field_class = forms.IntegerField  # type: ignore[assignment]  # a number too

    def __init__(self, field_name: str, label: str) -> None:
        super().__init__(field_name=field_name, label=label, min_value=0, max_value=2**63 - 1)

    def get_max_validator(self) -> None:
        """The field has its own."""


class AuditFilters(Filters):
    """Ids may be of what no longer exists. A foreign one finds as much as one that was never given: nothing."""

    actor = django_filters.CharFilter(
        method="by_actor", label="A user's id or e-mail address, or another actor's name such as `edge_3`."
    )
    action = django_filters.CharFilter(method="of_kind", label="`site_access.changed`, or all of `site_access`.")
    organization = Id("organization_id", "Its id.")
    site = Id("site_id", "Its id.")
    target = django_filters.CharFilter(method="about", label="What it was done to: its words, or a person's address.")
    target_id = Id("target_id", "The id of its row; say with `action` what kind of row.")
    outcome = django_filters.ChoiceFilter(choices=AuditEvent.Outcome.choices)
    search = django_filters.CharFilter(
        method="find", label="Part of the action, the actor or the target; a request's id."
    )

    def by_actor(self, events: Events, name: str, value: str) -> Events:
        if value.isdecimal() and len(value) < 19:
            return events.filter(actor_id=int(value))
        return events.filter(Q(actor=value) | Q(actor_key__in=_persons(text__iexact=value)))

    def of_kind(self, events: Events, name: str, value: str) -> Events:
        return events.filter(Q(action=value) if "." in value else Q(action__startswith=f"{value}.") | Q(action=value))

    def about(self, events: Events, name: str, value: str) -> Events:
        return events.filter(Q(target=value) | Q(target_key__in=_persons(text__iexact=value)))

    def find(self, events: Events, name: str, value: str) -> Events:
        words = Q(action__icontains=value) | Q(actor__icontains=value) | Q(target__icontains=value)
        persons = _persons(text__icontains=value)
        return events.filter(words | Q(request_id=value) | Q(actor_key__in=persons) | Q(target_key__in=persons))


AuditFilters.base_filters |= {  # `from` is a word of Python
    "from": django_filters.IsoDateTimeFilter(
        field_name="at", lookup_expr="gte", label="ISO 8601; this moment or later."
    ),
    "to": django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt", label="ISO 8601; before this moment."),
}


def _persons(**named: str) -> list[Any]:
    """A handful: a query that is planned for their keys uses the indexes of the log."""
    return list(Person.objects.filter(**named).values_list("key", flat=True)[:1_000])


@contextmanager
def _patience() -> Iterator[None]:
    """A search that looks at everything is stopped. Raises ValidationError."""
    try:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{PATIENCE_SECONDS}s'")
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            remedy = f"This takes longer than {PATIENCE_SECONDS} s; narrow it with from, to or organization."
            raise ValidationError({WHOLE: remedy}) from error
        raise


@extend_schema_view(get=extend_schema(operation_id="audit_list", tags=TAGS))
class AuditLog(ListAPIView[AuditEvent]):
    """The audit log, newest first: changes with before and after, logins, exports, and what was denied.

    Org admins see their organizations' events, platform admins all.
    """

    permission_classes = (AuditReaders,)
    serializer_class = EventSerializer
    pagination_class = AuditPages
    filter_backends = (FilterBackend,)
    filterset_class = AuditFilters
    queryset = AuditEvent.objects.none()

    def get_queryset(self) -> Events:
        return visible_to(access_in(self.request))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with _patience():
            return super().list(request, *args, **kwargs)


class AuditExport(GenericAPIView[AuditEvent]):
    """The audit log as a file, with the filters of the list. That somebody took it is an event as well."""

    permission_classes = (AuditReaders,)
    filter_backends = (FilterBackend,)
    filterset_class = AuditFilters
    pagination_class = None
    queryset = AuditEvent.objects.none()

    def get_queryset(self) -> Events:
        return visible_to(access_in(self.request))

    @extend_schema(
        operation_id="audit_export",
        tags=TAGS,
        filters=True,
        parameters=[OpenApiParameter("format", enum=list(FORMATS), description="csv unless told.")],
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/x-ndjson"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Every event that the filters leave, newest first, streamed: CSV for spreadsheets or NDJSON for programs.

        In CSV no cell can be a formula: one that looks like it begins with an apostrophe.
        """
        form = request.query_params.get("format", "csv")
        if form not in FORMATS:
            raise ValidationError({"format": f"{form[:20]!r} is not a format; use {' or '.join(FORMATS)}."})
        events = self.filter_queryset(self.get_queryset())
        access = access_in(request)
        only = next(iter(access.administered)) if not access.platform_admin and len(access.administered) == 1 else None
        # One by one: an e-mail address among them is a person's, who can be erased.
        asked: dict[str, Any] = {f"asked_{name}": value[:100] for name, value in request.query_params.items()}
        audit.record("audit.exported", organization_id=only, **asked)
        rows = (EventSerializer(event).data for event in walk(events))
        lines = as_csv(EventSerializer.Meta.fields, rows) if form == "csv" else as_ndjson(rows)
        answer = StreamingHttpResponse(lines, content_type=FORMATS[form])
        answer["Content-Disposition"] = f'attachment; filename="audit.{form}"'
        answer["Cache-Control"] = "no-store"
        return answer
