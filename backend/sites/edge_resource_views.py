"""Edges and their keys, for the people who manage them. What an edge itself asks is in `edge_views`."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import LoggedIn
from config.pagination import whole
from ems_contract.access import Action
from sites import edge_status
from sites.actions.edge_keys import do_create_key, do_revoke_key
from sites.actions.edges import do_change_edge, do_create_edge, do_delete_edge
from sites.filters import EdgeFilters
from sites.models import Edge, EdgeKey
from sites.permissions import MayAct, RowsView, RowView
from sites.serializers.edges import (
    EdgeKeyList,
    EdgeKeySerializer,
    EdgeSerializer,
    EdgeStatusSerializer,
    NewEdgeSerializer,
    ShownEdgeKeySerializer,
)


class Edges(RowsView[Edge]):
    """The edges of the sites I may view."""

    queryset = Edge.objects.none()
    actions: ClassVar = {"GET": Action.VIEW, "POST": Action.MANAGE_SITE}
    serializer_class = EdgeSerializer
    new_serializer_class = NewEdgeSerializer
    filterset_class = EdgeFilters

    def post(self, request: Request) -> Response:
        """Add an edge to a site that I manage. Then make a key for it."""
        return self.add(request, do_create_edge)


class OneEdge(RowView[Edge]):
    """One edge."""

    queryset = Edge.objects.none()
    actions: ClassVar = {"GET": Action.VIEW, "PATCH": Action.MANAGE_SITE, "DELETE": Action.MANAGE_SITE}
    serializer_class = EdgeSerializer

    def patch(self, request: Request, pk: int) -> Response:
        """Rename it, let it read more or less often, say what it computes, reports and controls by itself.

        A rule names points of this edge, and moves one that can be written, within its limits.
        """
        return self.change(request, do_change_edge)

    def delete(self, request: Request, pk: int) -> Response:
        """Delete it with its devices. Refused while it has a live key (409 live_keys).

        Its points and their history stay.
        """
        return self.remove(do_delete_edge)


class EdgeStatus(RowView[Edge]):
    """How an edge is doing."""

    queryset = Edge.objects.none()
    actions: ClassVar = {"GET": Action.VIEW}
    serializer_class = EdgeStatusSerializer

    @extend_schema(operation_id="edge_status")
    def get(self, request: Request, pk: int) -> Response:
        """What it said last: its backlog, its devices, its problems. It says so every 10 s."""
        known = edge_status.read(self.row)
        status = None if known.status is None else msgspec.to_builtins(known.status)
        return Response(EdgeStatusSerializer({"seen": known.seen, "stale": known.stale, "status": status}).data)


class EdgeKeys(RowView[Edge]):
    """The keys of one edge. An access token neither sees nor makes any."""

    permission_classes = (MayAct, LoggedIn)
    queryset = Edge.objects.none()
    actions: ClassVar = {"GET": Action.MANAGE_SITE, "POST": Action.MANAGE_SITE}
    serializer_class = EdgeKeySerializer

    @extend_schema(operation_id="edge_keys_list", responses=EdgeKeyList)
    def get(self, request: Request, pk: int) -> Response:
        return whole(EdgeKeySerializer(self.row.keys.all(), many=True).data)

    @extend_schema(operation_id="edge_key_create", request=None, responses={201: ShownEdgeKeySerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Make a key. Its text is in this answer and nowhere else. Two live ones are the most (409 two_keys)."""
        key, text = do_create_key(self.row)
        return Response({**EdgeKeySerializer(key).data, "key": text}, 201, headers={"Cache-Control": "no-store"})


class OneEdgeKey(RowView[EdgeKey]):
    """One key, without its secret."""

    permission_classes = (MayAct, LoggedIn)
    queryset = EdgeKey.objects.none()
    related = ("edge",)
    actions: ClassVar = {"GET": Action.MANAGE_SITE, "DELETE": Action.MANAGE_SITE}
    serializer_class = EdgeKeySerializer

    def delete(self, request: Request, pk: int) -> Response:
        """Revoke it: refused from now on, and connections that were opened with it end. It stays listed."""
        return self.remove(do_revoke_key)
