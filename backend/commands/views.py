"""Commands to devices, and what the rules of a site's edges did."""

from __future__ import annotations

from typing import Any, ClassVar

import redis
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, UserRateThrottle

from accounts.authentication import access_in
from commands.actions.commands import do_request, do_send
from commands.filters import CommandFilters, ControlEventFilters
from commands.models import Command, ControlEvent
from commands.serializers import CommandSerializer, ControlEventSerializer, NewCommandSerializer
from config.filters import FilterBackend
from ems_contract.access import Action
from sites.models import TenantQuerySet
from sites.permissions import RowsView, RowView, SiteView

_RELATED = ("requested_by",)


class CommandsByPerson(UserRateThrottle):
    """A slider that is dragged is no reason to write to a device more often than it can follow."""

    scope = "commands"
    rate = "120/minute"

    def allow_request(self, request: Any, view: Any) -> bool:
        """Without Redis nothing is counted, and nothing is sent either: the attempt itself is recorded."""
        try:
            return super().allow_request(request, view)
        except redis.RedisError:
            return True


class Commands(RowsView[Command]):
    """The commands of the sites I may view."""

    queryset = Command.objects.none()
    related = _RELATED
    actions: ClassVar = {"GET": Action.VIEW, "POST": Action.CONTROL_DEVICES}
    serializer_class = CommandSerializer
    new_serializer_class = NewCommandSerializer
    filterset_class = CommandFilters

    def get_throttles(self) -> list[BaseThrottle]:
        return [CommandsByPerson()] if self.request.method == "POST" else []

    def door(self) -> TenantQuerySet[Command]:
        rows: TenantQuerySet[Command] = super().door().prefetch_related("history")
        return rows

    @extend_schema(
        responses={
            201: CommandSerializer,
            200: OpenApiResponse(CommandSerializer, description="Given already, with this id"),
        }
    )
    def post(self, request: Request) -> Response:
        """Give a command, on a site where I may control devices.

        It is sent at once; its edge carries it out and reports each step. An edge that is away may take it until it
        expires. A value beyond the point's limits, a point that is read-only and a lease without a default to go back
        to are refused by name. The same `id` again is the same command (200), with another content it is refused (409
        replayed); too many in a minute: 429. If Redis takes none, it is recorded as failed (503).
        """
        command, new = do_request(access_in(request).user, **self.checked(request))
        return self.shown(do_send(command) if new else command, 201 if new else 200)


class OneCommand(RowView[Command]):
    """One command."""

    queryset = Command.objects.none()
    related = _RELATED
    by = "uid"
    actions: ClassVar = {"GET": Action.VIEW}
    serializer_class = CommandSerializer


class ControlEvents(SiteView, GenericAPIView[ControlEvent]):
    """What the rules of a site's edges did, the latest first."""

    actions: ClassVar = {"GET": Action.VIEW}
    queryset = ControlEvent.objects.none()
    serializer_class = ControlEventSerializer
    filter_backends = (FilterBackend,)
    filterset_class = ControlEventFilters

    def get_queryset(self) -> QuerySet[ControlEvent]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return self.site.controlevents.all()

    @extend_schema(operation_id="control_events_list", responses=ControlEventSerializer(many=True))
    def get(self, request: Request, site_id: int) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
