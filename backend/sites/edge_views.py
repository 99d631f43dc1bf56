"""What an edge may ask: a session, and to report its points. The messages are the contract's own."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.addresses import client_address
from config.problems import WHOLE
from ems_contract.provisioning import PointsReport, SessionRequest
from sites.actions import edge_session, points
from sites.edge_authentication import EdgeKeyAuthentication, EdgesOnly
from sites.models import EdgeKey
from sites.schemas import POINTS_REPORT, SESSION_ANSWER, SESSION_REQUEST

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$")


def read[T](request: Request, message: type[T]) -> T:
    """The body as a message of the contract. Raises ParseError or ValidationError naming the field."""
    try:
        return msgspec.json.decode(request.body, type=message)
    except msgspec.ValidationError as error:
        place = _PLACE.match(str(error))
        path = re.sub(r"\[(\d+|\.\.\.)\]", r".\1", place["path"] or "") if place else ""
        what = place["what"] if place else str(error)
        raise ValidationError({path.strip(".") or WHOLE: what}) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ParseError("The body is not JSON.") from error


class EdgeView(APIView):
    authentication_classes = (EdgeKeyAuthentication,)
    permission_classes = (EdgesOnly,)

    def key(self, request: Request) -> EdgeKey:
        key: Any = request.auth
        if not isinstance(key, EdgeKey):
            raise TypeError("only EdgeKeyAuthentication lets anyone in here")
        return key


class EdgeSession(EdgeView):
    """Trade the API key for the configuration and a Redis user. May be repeated; the password stays the same."""

    @extend_schema(
        operation_id="edge_session",
        request={"application/json": SESSION_REQUEST},
        responses={(200, "application/json"): SESSION_ANSWER},
    )
    def post(self, request: Request) -> HttpResponse:
        message = read(request, SessionRequest)
        edge_session.check_session(message)
        answer = edge_session.do_open_session(self.key(request), message, client_address(request))
        response = HttpResponse(msgspec.json.encode(answer), content_type="application/json")
        response["Cache-Control"] = "no-store"
        return response


class EdgePoints(EdgeView):
    """Report every point that the edge's devices define; known keys are updated, ids stay."""

    @extend_schema(operation_id="edge_points", request={"application/json": POINTS_REPORT}, responses={204: None})
    def put(self, request: Request) -> Response:
        report = read(request, PointsReport)
        edge = self.key(request).edge
        devices = points.check_points(edge, report.points)
        points.do_report_points(edge, devices, report.points)
        return Response(status=204)
