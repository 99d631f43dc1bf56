"""GET /api/telemetry/historical: who asks, about which points; what history says, as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from psycopg import OperationalError
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import access_in
from accounts.permissions import SignedIn
from config.problems import Unavailable
from ems_contract.keys import edge_name
from ems_contract.points import Kind, is_point_key
from sites.doors import open_site
from sites.models import Point, Site
from telemetry import database, store
from telemetry.queries import History, HistoryBusyError, QueryRefusedError, Question, history
from telemetry.rollups import Buckets
from telemetry.samples import Samples
from telemetry.serializers import HistoricalAnswer, HistoricalQuery

_EXAMPLE = {
    "site": "site_7",
    "timezone": "Europe/Berlin",
    "from": 1774742400000,
    "to": 1774744200000,
    "resolution": "15m",
    "series": [
        {
            "key": "grid_meter.active_power",
            "name": "Active power",
            "unit": "W",
            "kind": "gauge",
            "ts": [1774742400000, 1774743300000],
            "avg": [12480.5, 12120.0],
            "min": [11900.0, 11850.0],
            "max": [13010.0, 12600.0],
            "first": [12400.0, 12610.0],
            "last": [12600.0, 11850.0],
            "count": [180, 179],
            "good": [180, 178],
        }
    ],
    "gaps": [{"edge": "edge_3", "from": 1774743600000, "to": 1774743605000, "reason": "edge_down"}],
}


class Historical(APIView):
    """Samples or rollups of some points of one site, up to the newest minute; with the gaps that are known.

    A site that is not there, or not for the caller: 404.
    """

    permission_classes = (SignedIn,)

    @extend_schema(
        operation_id="historical",
        parameters=[HistoricalQuery],
        responses=HistoricalAnswer,
        examples=[OpenApiExample("Half an hour in 15 minute buckets", value=_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        query = HistoricalQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        site = open_site(access_in(request), asked["site"])
        try:
            body = self._answer(site, asked)
        except QueryRefusedError as refusal:
            raise ValidationError({refusal.parameter: [str(refusal)]}) from None
        except HistoryBusyError as busy:
            raise Unavailable(str(busy)) from None
        except OperationalError as error:
            raise Unavailable("The history database is not reachable. Try again in a moment.") from error
        response = HttpResponse(msgspec.json.encode(body), content_type="application/json")
        response["Cache-Control"] = "no-store"
        return response

    def _answer(self, site: Site, asked: dict[str, Any]) -> dict[str, Any]:
        keys: list[str] = asked["points"]
        possible = [key for key in keys if is_point_key(key)]
        described = {point.key: point for point in site.points.filter(key__in=possible)}
        connection = database.connection()
        with store.cursor(connection) as cursor:
            cursor.execute("SELECT key, id FROM point WHERE site = %s AND key = ANY (%s)", (site.pk, possible))
            ids: dict[str, int] = dict(cursor.fetchall())
        unknown = [key for key in keys if key not in described and key not in ids]
        if unknown:
            raise ValidationError({"points": [f"{key[:100]!r} is not a point of this site." for key in unknown]})
        question = Question(site.pk, ids, asked["from"], asked["to"], asked["resolution"], asked["max_points"])
        found = history(connection, question)
        return {
            "site": site.wire_name,
            "timezone": site.timezone,
            "from": question.since,
            "to": question.until,
            "resolution": found.resolution,
            "series": [_series(key, described.get(key), found, ids.get(key)) for key in keys],
            "gaps": [
                {"edge": edge_name(gap.edge), "from": gap.ts_from, "to": gap.ts_to, "reason": gap.reason}
                for gap in found.gaps
            ],
        }


def _series(key: str, described: Point | None, found: History, point: int | None) -> dict[str, Any]:
    series = found.series.get(point) if point is not None else None
    if series is None:
        series = Samples.empty() if found.resolution == "raw" else Buckets.empty()
    return {
        "key": key,
        "name": described.name if described else "",
        "unit": described.unit if described else "",
        "kind": described.kind if described else Kind.GAUGE.value,
        **_columns(series),
    }


def _columns(series: Samples | Buckets) -> dict[str, list[Any]]:
    """As lists; the encoder writes NaN, which is "no value", as null."""
    if isinstance(series, Samples):
        return {"ts": series.ts.tolist(), "value": series.value.tolist(), "quality": series.code.tolist()}
    return {
        "ts": series.start.tolist(),
        "avg": series.mean.tolist(),
        "min": series.low.tolist(),
        "max": series.high.tolist(),
        "first": series.first.tolist(),
        "last": series.last.tolist(),
        "count": series.n.tolist(),
        "good": series.good.tolist(),
    }
