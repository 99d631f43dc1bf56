"""Sites, as far as the caller may see."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import access_in
from accounts.permissions import SignedIn
from config.filters import FilterBackend
from config.openapi import BodyOnDelete
from ems_contract.access import Action
from sites.actions.sites import check_deletion, do_change_site, do_create_site, do_delete_site
from sites.filters import SiteFilters
from sites.grants import Roles
from sites.models import Site
from sites.permissions import SiteView, named_row
from sites.serializers.sites import NewSiteSerializer, SiteDeletionSerializer, SiteSerializer


def _context(request: Request) -> dict[str, Any]:
    access = access_in(request)
    return {"request": request, "access": access, "roles": Roles(access)}


class Sites(ListAPIView[Site]):
    """The sites I may view, with my role and what I may do on each."""

    permission_classes = (SignedIn,)
    serializer_class = SiteSerializer
    filter_backends = (FilterBackend,)
    filterset_class = SiteFilters
    queryset = Site.objects.none()

    def get_queryset(self) -> QuerySet[Site]:
        return Site.objects.visible_to(access_in(self.request)).select_related("organization")

    def get_serializer_context(self) -> dict[str, Any]:
        return _context(self.request)

    @extend_schema(request=NewSiteSerializer, responses={201: SiteSerializer})
    def post(self, request: Request) -> Response:
        """Make a site in an organization that I administer."""
        context = _context(request)
        new = NewSiteSerializer(data=request.data, context=context)
        if not access_in(request).administers(named_row(new, "organization").pk):
            raise PermissionDenied
        new.is_valid(raise_exception=True)
        return Response(SiteSerializer(do_create_site(**new.validated_data), context=context).data, 201)


class OneSite(SiteView):
    """One site, with my role and what I may do there."""

    # What only org admins may do is what this action stands for: a site manager does not end the own site.
    actions: ClassVar = {"GET": Action.VIEW, "PATCH": Action.MANAGE_SITE, "DELETE": Action.MANAGE_ORG_USERS}
    schema = BodyOnDelete()

    @extend_schema(operation_id="site", responses=SiteSerializer)
    def get(self, request: Request, site_id: int) -> Response:
        return Response(SiteSerializer(self.site, context=_context(request)).data)

    @extend_schema(operation_id="site_change", request=SiteSerializer(partial=True), responses=SiteSerializer)
    def patch(self, request: Request, site_id: int) -> Response:
        """Change its settings. It stays in its organization."""
        context = _context(request)
        changes = SiteSerializer(self.site, data=request.data, partial=True, context=context)
        changes.is_valid(raise_exception=True)
        return Response(SiteSerializer(do_change_site(self.site, **changes.validated_data), context=context).data)

    @extend_schema(operation_id="site_delete", request=SiteDeletionSerializer, responses={204: None})
    def delete(self, request: Request, site_id: int) -> Response:
        """Delete it with everything on it and all its history, at once and for ever.

        Its name is typed again. Refused while an edge of it has a live key (409 live_keys).
        """
        form = SiteDeletionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        check_deletion(self.site, form.validated_data["name"])
        do_delete_site(self.site)
        return Response(status=204)
