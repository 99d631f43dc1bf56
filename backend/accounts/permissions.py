"""Who may use an endpoint, declared on its view. What is asked about one organization is in `OrganizationView`.

An access token reads what is not about one site, and no more: people, credentials and the platform need a login.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

from django.http import Http404
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.access import Access
from accounts.authentication import access_in
from accounts.models import Organization


class SignedIn(BasePermission):
    """Anyone with a valid credential; an access token may only read."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        access = request.auth
        return isinstance(access, Access) and (access.token is None or request.method in SAFE_METHODS)


class LoggedIn(BasePermission):
    """A person with a login of their own, and no access token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Access) and request.auth.token is None


class PlatformAdmins(BasePermission):
    """Platform admins, with a login."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Access) and request.auth.platform_admin


class Developers(BasePermission):
    """Developers and platform admins, with a login."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Access) and request.auth.developer


class Standing(Enum):
    """What an operation on an organization asks for."""

    MEMBER = "member"
    ADMIN = "admin"
    PLATFORM = "platform"


class InOrganization(BasePermission):
    """`OrganizationView`'s own: opens the organization of the address, and checks the method's standing."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, Access) or not isinstance(view, OrganizationView):
            return False
        standing = view.standing.get("GET" if request.method == "HEAD" else str(request.method))
        view.organization = open_organization(request.auth, view.kwargs["organization_id"])
        match standing:
            case Standing.MEMBER:
                return True
            case Standing.ADMIN:
                return request.auth.administers(view.organization.pk)
            case Standing.PLATFORM:
                return request.auth.platform_admin
            case None:  # a method that the view does not have is a 405
                return not hasattr(view, str(request.method).lower())


class OrganizationView(APIView):
    """Everything at `/organizations/<int:organization_id>...`. A method that is not in `standing` is refused."""

    permission_classes = (InOrganization,)
    standing: ClassVar[Mapping[str, Standing]] = {}
    organization: Organization


def open_organization(access: Access, organization_id: int) -> Organization:
    """The guarded door of one organization. Raises Http404 for a stranger."""
    found = Organization.objects.visible_to(access).filter(pk=organization_id).first()
    if found is None:
        raise Http404
    return found


def caller_context(request: Request) -> dict[str, Any]:
    """What serializers need to know of the caller."""
    return {"request": request, "access": access_in(request)}
