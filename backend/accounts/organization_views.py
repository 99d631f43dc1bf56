"""Organizations: listed, made, renamed, suspended, exported, deleted after a grace period."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

import audit
from accounts import belongings, organization_export
from accounts.access import Access
from accounts.actions import organizations
from accounts.authentication import access_in
from accounts.models import Organization
from accounts.people_filters import OrganizationFilters
from accounts.people_serializers import (
    DeletionPlanSerializer,
    DeletionSerializer,
    OrganizationRowSerializer,
)
from accounts.permissions import OrganizationView, PlatformAdmins, SignedIn, Standing, caller_context
from config.filters import FilterBackend

TAGS = ["organizations"]


def _count(relation: str, **only: Any) -> Subquery:
    """Of each organization; a subquery each, so that two counts do not multiply."""
    rows = Organization.objects.filter(pk=OuterRef("pk"))
    return Subquery(rows.annotate(n=Count(relation, filter=Q(**only) if only else None)).values("n"))


def described(access: Access) -> QuerySet[Organization]:
    """What the caller may see, with what the serializer tells of it."""
    return Organization.objects.visible_to(access).annotate(
        site_count=_count("sites"), member_count=_count("memberships", memberships__user__is_service=False)
    )


def _answer(request: Request, organization: Organization, status: int = 200) -> Response:
    row = described(access_in(request)).get(pk=organization.pk)
    return Response(OrganizationRowSerializer(row, context=caller_context(request)).data, status=status)


@extend_schema_view(get=extend_schema(operation_id="organizations_list", tags=TAGS))
class Organizations(ListAPIView[Organization]):
    """The organizations I belong to; a platform admin sees all."""

    permission_classes = (SignedIn,)
    serializer_class = OrganizationRowSerializer
    filter_backends = (FilterBackend,)
    filterset_class = OrganizationFilters
    queryset = Organization.objects.none()

    def get_permissions(self) -> list[BasePermission]:
        return [PlatformAdmins()] if self.request.method == "POST" else [SignedIn()]

    def get_queryset(self) -> QuerySet[Organization]:
        return described(access_in(self.request))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), **caller_context(self.request)}

    @extend_schema(operation_id="organization_create", tags=TAGS, responses={201: OrganizationRowSerializer})
    def post(self, request: Request) -> Response:
        """Make an organization, without people: invite its first org admin next. Platform admins only."""
        form = OrganizationRowSerializer(data=request.data, context=caller_context(request))
        form.is_valid(raise_exception=True)
        organizations.check_name(form.validated_data["name"])
        return _answer(request, organizations.do_create(form.validated_data["name"]), status=201)


class OneOrganization(OrganizationView):
    """One organization."""

    standing: ClassVar = {"GET": Standing.MEMBER, "PATCH": Standing.ADMIN}

    @extend_schema(operation_id="organization", tags=TAGS, responses=OrganizationRowSerializer)
    def get(self, request: Request, organization_id: int) -> Response:
        """One of mine; a platform admin sees any."""
        return _answer(request, self.organization)

    @extend_schema(
        operation_id="organization_change",
        tags=TAGS,
        request=OrganizationRowSerializer(partial=True),
        responses=OrganizationRowSerializer,
    )
    def patch(self, request: Request, organization_id: int) -> Response:
        """Rename it. Org admins."""
        form = OrganizationRowSerializer(data=request.data, partial=True, context=caller_context(request))
        form.is_valid(raise_exception=True)
        if "name" in form.validated_data:
            organizations.check_name(form.validated_data["name"], but=self.organization)
            organizations.do_rename(self.organization, form.validated_data["name"])
        return _answer(request, self.organization)


class Suspension(OrganizationView):
    """Its people see nothing of it while it is suspended; its edges go on measuring."""

    standing: ClassVar = {"POST": Standing.PLATFORM}

    @extend_schema(operation_id="organization_suspend", tags=TAGS, request=None, responses=OrganizationRowSerializer)
    def post(self, request: Request, organization_id: int) -> Response:
        """Suspend it: its people see nothing of it, its edges go on measuring. Platform admins only."""
        organizations.do_suspend(self.organization)
        return _answer(request, self.organization)


class Resumption(OrganizationView):
    """The end of a suspension."""

    standing: ClassVar = {"POST": Standing.PLATFORM}

    @extend_schema(operation_id="organization_resume", tags=TAGS, request=None, responses=OrganizationRowSerializer)
    def post(self, request: Request, organization_id: int) -> Response:
        """End its suspension. Platform admins only."""
        organizations.do_resume(self.organization)
        return _answer(request, self.organization)


class Deletion(OrganizationView):
    """An organization goes with everything that belongs to it, once its grace period is over."""

    standing: ClassVar = {"POST": Standing.PLATFORM, "DELETE": Standing.PLATFORM}

    @extend_schema(
        operation_id="organization_deletion",
        tags=TAGS,
        request=DeletionSerializer,
        responses=DeletionPlanSerializer,
    )
    def post(self, request: Request, organization_id: int) -> Response:
        """Ask for its deletion, or with `dry_run` (the default) only what it would delete. Platform admins only.

        Until `delete_after` nothing is deleted and the request can be cancelled.
        Asked for before: 409 deletion_under_way.
        """
        form = DeletionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        dry_run: bool = form.validated_data["dry_run"]
        if not dry_run:
            organizations.check_deletion(self.organization, form.validated_data["name"])
            organizations.do_schedule_deletion(self.organization)
        plan = {
            "dry_run": dry_run,
            "would_delete": belongings.counts(self.organization),
            "delete_after": self.organization.delete_after or organizations.grace_end(),
        }
        return Response(DeletionPlanSerializer(plan).data)

    @extend_schema(operation_id="organization_deletion_cancel", tags=TAGS, responses={204: None})
    def delete(self, request: Request, organization_id: int) -> Response:
        """Cancel the deletion; once the grace period is over, 409 deletion_under_way.

        Nothing happens if none was asked for. Platform admins only.
        """
        organizations.do_cancel_deletion(self.organization)
        return Response(status=204)


class Export(OrganizationView):
    """Everything of an organization but its history, as one JSON document."""

    standing: ClassVar = {"GET": Standing.ADMIN}

    @extend_schema(
        operation_id="organization_export", tags=TAGS, responses={(200, "application/json"): OpenApiTypes.OBJECT}
    )
    def get(self, request: Request, organization_id: int) -> StreamingHttpResponse:
        """The organization, its people, sites, assets, edges, devices, points and who may see what, as one file.

        No secret is in it, nor the hash of one. Org admins.
        """
        audit.record("organization.exported", organization_id=self.organization.pk, target=self.organization.name)
        answer = StreamingHttpResponse(organization_export.document(self.organization), content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="organization-{self.organization.pk}.json"'
        answer["Cache-Control"] = "no-store"
        return answer
