"""What an endpoint of a site asks for, declared on its view by method; the door is opened before the view runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.access import Access
from ems_contract.access import Action
from sites.doors import open_row, open_site
from sites.models import Site, TenantQuerySet, TenantRow


def needed(view: SiteView | RowView[Any], request: Request) -> Action | None:
    return view.actions.get("GET" if request.method == "HEAD" else str(request.method))


def implemented(view: APIView, request: Request) -> bool:
    """A method that the view does not have is a 405, once the caller has passed the door."""
    return hasattr(view, str(request.method).lower())


class MayAct(BasePermission):
    """The views' own: opens the site, or the row and its site. A method without an action is refused to everyone."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, Access) or not isinstance(view, SiteView | RowView):
            return False
        action = needed(view, request)
        if isinstance(view, SiteView):
            view.site = open_site(request.auth, view.kwargs["site_id"], action or Action.VIEW)
        else:
            view.row = open_row(request.auth, view.rows(), view.kwargs["pk"], action or Action.VIEW)
        return action is not None or not implemented(view, request)


class SiteView(APIView):
    """Everything at `/sites/<int:site_id>...`."""

    permission_classes = (MayAct,)
    actions: ClassVar[Mapping[str, Action]] = {}
    site: Site


class RowView[M: TenantRow](APIView):
    """One row of a site, at `/<rows>/<int:pk>...`."""

    permission_classes = (MayAct,)
    actions: ClassVar[Mapping[str, Action]] = {}
    row: M

    def rows(self) -> TenantQuerySet[M]:
        """Of the view's model, not opened yet."""
        raise NotImplementedError
