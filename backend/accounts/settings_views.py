"""The settings of the installation, for platform admins."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actions import system_settings
from accounts.models import SystemSettings
from accounts.people_serializers import SystemSettingsSerializer
from accounts.permissions import PlatformAdmins

TAGS = ["platform"]


class Settings(APIView):
    """What holds for the whole installation."""

    permission_classes = (PlatformAdmins,)

    @extend_schema(operation_id="settings", tags=TAGS, responses=SystemSettingsSerializer)
    def get(self, request: Request) -> Response:
        """Platform admins only."""
        return Response(SystemSettingsSerializer(SystemSettings.load()).data)

    @extend_schema(
        operation_id="settings_change",
        tags=TAGS,
        request=SystemSettingsSerializer(partial=True),
        responses=SystemSettingsSerializer,
    )
    def patch(self, request: Request) -> Response:
        """Change some of them. Platform admins only."""
        form = SystemSettingsSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        return Response(SystemSettingsSerializer(system_settings.do_change(form.validated_data)).data)
