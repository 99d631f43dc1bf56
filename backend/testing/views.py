"""Sandboxes over the API, for developers: test data to write against, and no one's production data."""

from __future__ import annotations

from typing import cast

from django.db.models import Count, F, FloatField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Cast, Floor
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import access_in
from accounts.models import Organization, User
from accounts.permissions import Developers
from testing.actions import sandboxes
from testing.models import GeneratedHistory
from testing.serializers import MadeSandboxSerializer, NewSandboxSerializer, SandboxSerializer

TAGS = ["developers"]


def _described(rows: QuerySet[Organization]) -> QuerySet[Organization]:
    """With the number of sites, and how much of the generated history is sent, in %."""
    histories = GeneratedHistory.objects.filter(edge__organization=OuterRef("pk")).order_by()
    share = Floor(100 * Cast(Sum("sent"), FloatField()) / Sum("batches"))
    percent = histories.values("edge__organization").annotate(percent=share).values("percent")
    return rows.annotate(site_count=Count("sites"), history_percent=Subquery(percent)).order_by(F("created").desc())


@extend_schema_view(get=extend_schema(operation_id="sandboxes_list", tags=TAGS))
class Sandboxes(ListAPIView[Organization]):
    """My sandboxes; a platform admin sees all."""

    permission_classes = (Developers,)
    serializer_class = SandboxSerializer
    queryset = Organization.objects.none()

    def get_queryset(self) -> QuerySet[Organization]:
        return _described(sandboxes.visible_to(access_in(self.request)))

    @extend_schema(
        operation_id="sandbox_create",
        tags=TAGS,
        request=NewSandboxSerializer,
        responses={201: MadeSandboxSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make an organization of simulated sites, with me as its org admin.

        Each site gets an edge, whose API key and bootstrap file are shown this once. `history_days` of generated
        history take the same way as what edges measure, and arrive within seconds.
        """
        form = NewSandboxSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sandboxes.check_create(access_in(request), **form.validated_data)
        made = sandboxes.do_create(cast("User", request.user), **form.validated_data)
        response = Response(MadeSandboxSerializer(made).data, status=201)
        response["Cache-Control"] = "no-store"
        return response


class OneSandbox(APIView):
    """One of mine."""

    permission_classes = (Developers,)

    @extend_schema(operation_id="sandbox_delete", tags=TAGS, responses={204: None})
    def delete(self, request: Request, sandbox_id: int) -> Response:
        """Delete it and everything in it, without a grace period. No other kind of organization is deleted here."""
        sandboxes.do_delete(sandboxes.open_sandbox(access_in(request), sandbox_id))
        return Response(status=204)
