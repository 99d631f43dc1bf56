"""What an endpoint of a site asks for, declared on its view by method; the door is opened before the view runs.

Three kinds of views, and each opens its door by itself: `SiteView` the site of the address, `RowView` one row of a
site, `RowsView` the rows of the caller's sites. A method without an action is refused to everyone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.access import Access
from accounts.authentication import access_in
from config.filters import FilterBackend
from config.openapi import Described
from ems_contract.access import Action
from sites.doors import check_action, open_row, open_site
from sites.grants import Roles
from sites.models import Site, TenantQuerySet, TenantRow

Actions = Mapping[str, Action]
"""HTTP method -> what the caller must be allowed to do on the site."""


def _needed(view: Any, request: Request) -> Action | None:
    actions: Actions = view.actions
    return actions.get("GET" if request.method == "HEAD" else str(request.method))


class MayAct(BasePermission):
    """The views' own. A method that the view does not have is a 405, once the caller has passed the door."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        access = request.auth
        if not isinstance(access, Access) or not isinstance(view, SiteView | RowView | RowsView):
            return False
        action = _needed(view, request)
        match view:
            case SiteView():
                view.site = open_site(access, view.kwargs["site_id"], action or Action.VIEW)
            case RowView():
                view.row = open_row(access, view.door(), view.kwargs["pk"], action or Action.VIEW, view.by)
            case RowsView():
                if action is not None and not access.within(action):
                    return False
        return action is not None or not hasattr(view, str(request.method).lower())


class RowsSchema(Described):
    """A new row is written in one shape and answered in another."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        """drf-spectacular would look for a mixin."""
        return self.method == "GET" and isinstance(self.view, RowsView)

    def get_request_serializer(self) -> Any:
        written = {"POST": "new_serializer_class", "PATCH": "change_serializer_class"}.get(self.method, "")
        return getattr(self.view, written, None) or super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        if self.method == "POST" and getattr(self.view, "new_serializer_class", None):
            return {201: getattr(self.view, "serializer_class", None)}
        return super().get_response_serializers()


def named_row(new: Serializer[Any], field: str) -> Any:
    """The row that a body names as the place of a new one, before the rest of the body is looked at.

    Raises ValidationError with everything that is wrong.
    """
    body = new.initial_data
    try:
        return new.fields[field].run_validation(body.get(field, empty) if isinstance(body, Mapping) else empty)
    except ValidationError:
        new.is_valid(raise_exception=True)
        raise


class SiteView(APIView):
    """Everything at `/sites/<int:site_id>...`. The site is in `self.site`."""

    permission_classes = (MayAct,)
    actions: ClassVar[Actions] = {}
    site: Site


class _Rows[M: TenantRow](GenericAPIView[M]):
    """What the two views of rows share. `queryset = Model.objects.none()` names the model, and holds nothing."""

    permission_classes: Sequence[type[BasePermission]] = (MayAct,)
    schema = RowsSchema()
    actions: ClassVar[Actions] = {}
    related: ClassVar[tuple[str, ...]] = ()
    """Relations that the answer shows."""

    def door(self) -> TenantQuerySet[M]:
        """Of the view's model, not opened yet."""
        view: Any = self
        rows: TenantQuerySet[M] = view.queryset.model.objects.all()
        return rows.select_related(*self.related) if self.related else rows  # without names Django takes them all

    def get_serializer_context(self) -> dict[str, Any]:
        """`access` and `roles` are the caller's; absent while the API is being described."""
        context = dict(super().get_serializer_context())
        if getattr(self, "swagger_fake_view", False):
            return context
        access = access_in(self.request)
        return {**context, "access": access, "roles": Roles(access)}

    def shown(self, row: M, status: int = 200) -> Response:
        """The answer about one row, in the shape of `serializer_class`."""
        return Response(self.get_serializer(row).data, status)


class RowsView[M: TenantRow](_Rows[M]):
    """`/<rows>`: GET lists those of the sites where the caller may do the declared action, POST adds one.

    A subclass declares `queryset`, `serializer_class`, `filterset_class`, `actions`; for POST also
    `new_serializer_class` and the body's `place`: the field that says where (a site, or something on one).
    """

    filter_backends = (FilterBackend,)
    new_serializer_class: ClassVar[type[Serializer[Any]] | None] = None
    place: ClassVar[str] = "site"

    def get_queryset(self) -> QuerySet[M]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return self.door().visible_to(access_in(self.request), self.actions["GET"])

    def get(self, request: Request) -> Response:
        rows = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(rows if rows.ordered else rows.order_by("pk"))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def add(self, request: Request, do: Callable[..., M]) -> Response:
        """Check the body and the place, then `do(**fields)`."""
        return self.shown(do(**self.checked(request)), 201)

    def checked(self, request: Request) -> dict[str, Any]:
        """The fields of a new row. An unknown or foreign place is a 400, without the action there it is a 403 whatever
        else is wrong."""
        if self.new_serializer_class is None:
            raise NotImplementedError("declare the shape of a new row")
        new = self.new_serializer_class(data=request.data, context=self.get_serializer_context())
        place = named_row(new, self.place)
        site: Site = place if isinstance(place, Site) else place.site
        check_action(access_in(request), site, self.actions["POST"])
        new.is_valid(raise_exception=True)
        fields: dict[str, Any] = new.validated_data
        return fields


class RowView[M: TenantRow](_Rows[M]):
    """`/<rows>/<int:pk>...`: one row, in `self.row`. GET shows it; `change` and `remove` make PATCH and DELETE."""

    row: M
    by: ClassVar[str] = "pk"
    """The column that the address names the row by."""
    change_serializer_class: ClassVar[type[Serializer[Any]] | None] = None
    """Where a body of PATCH has another shape than the answer."""

    def get(self, request: Request, pk: int) -> Response:
        return self.shown(self.row)

    def change(self, request: Request, do: Callable[..., M]) -> Response:
        """Check the body, then `do(row, **fields)` with the fields that it names."""
        shape: Any = self.change_serializer_class or self.serializer_class
        changes = shape(self.row, data=request.data, partial=True, context=self.get_serializer_context())
        changes.is_valid(raise_exception=True)
        return self.shown(do(self.row, **changes.validated_data))

    def remove(self, do: Callable[[M], None]) -> Response:
        do(self.row)
        return Response(status=204)
