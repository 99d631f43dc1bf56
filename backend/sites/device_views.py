"""Devices: what the edges of a site read."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from ems_contract.access import Action
from sites.actions.devices import do_change_device, do_create_device, do_delete_device
from sites.filters import DeviceFilters
from sites.models import Device
from sites.permissions import RowsView, RowView
from sites.serializers.devices import DeviceSerializer, NewDeviceSerializer


class Devices(RowsView[Device]):
    """The devices of the sites I may view. How one is reached is shown to those who manage its site."""

    queryset = Device.objects.none()
    related = ("site",)
    actions: ClassVar = {"GET": Action.VIEW, "POST": Action.MANAGE_SITE}
    serializer_class = DeviceSerializer
    new_serializer_class = NewDeviceSerializer
    filterset_class = DeviceFilters
    place = "edge"

    def post(self, request: Request) -> Response:
        """Add a device to an edge of a site that I manage; the edge takes it up by itself."""
        return self.add(request, do_create_device)


class OneDevice(RowView[Device]):
    """One device."""

    queryset = Device.objects.none()
    actions: ClassVar = {"GET": Action.VIEW, "PATCH": Action.MANAGE_SITE, "DELETE": Action.MANAGE_SITE}
    serializer_class = DeviceSerializer

    def patch(self, request: Request, pk: int) -> Response:
        """Change it; `connection` is replaced as a whole. The edge takes it up by itself."""
        return self.change(request, do_change_device)

    def delete(self, request: Request, pk: int) -> Response:
        """Delete it: the edge stops reading it. Its points and their history stay."""
        return self.remove(do_delete_device)
