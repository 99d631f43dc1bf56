"""The simulator's control API: faults, pins, health. JSON in and out; errors are RFC 9457 problem details.

GET    /healthz, /readyz
GET    /sites
GET    /sites/{site}/faults                              the active ones
POST   /sites/{site}/faults                              FaultRequest -> {"id"}
DELETE /sites/{site}/faults, /sites/{site}/faults/{id}   -> {"cleared": n}
GET    /sites/{site}/devices/{device}/points/{name}      -> {"value", "first_answer", "pinned"}
PUT    (the same) {"value": number | null}               pins the point; null is "no value"
DELETE (the same)                                        lets it go
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, NoReturn, cast

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ems_simulator.bacnet_image import BacnetImage
from ems_simulator.devices import DeviceImage
from ems_simulator.faults import FaultKind, FaultRequest
from ems_simulator.image import PointRefusedError
from ems_simulator.runtime import SiteRuntime

_log = structlog.get_logger()
MAX_BODY = 10_000


class PinRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`value` in the point's unit; null makes the device say that it has no value."""

    value: float | None


class Problem(Exception):  # noqa: N818 (RFC 9457 calls it so)
    """Answered as problem details."""

    def __init__(self, status: HTTPStatus, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.field = field


def control_app(sites: Mapping[str, SiteRuntime]) -> Starlette:
    """The application for these sites."""
    api = _Api(sites)
    point = "/sites/{site}/devices/{device}/points/{name}"
    return Starlette(
        routes=[
            Route("/healthz", api.healthz),
            Route("/readyz", api.readyz),
            Route("/sites", api.sites),
            Route("/sites/{site}/faults", api.list_faults, methods=["GET"]),
            Route("/sites/{site}/faults", api.add_fault, methods=["POST"]),
            Route("/sites/{site}/faults", api.clear_faults, methods=["DELETE"]),
            Route("/sites/{site}/faults/{fault}", api.clear_faults, methods=["DELETE"]),
            Route(point, api.show_point, methods=["GET"]),
            Route(point, api.pin_point, methods=["PUT"]),
            Route(point, api.unpin_point, methods=["DELETE"]),
        ],
        middleware=[Middleware(RequestId)],
        exception_handlers={Problem: _answer_problem, HTTPException: _answer_http},
    )


class _Api:
    def __init__(self, sites: Mapping[str, SiteRuntime]) -> None:
        self._sites = sites

    async def healthz(self, _: Request) -> Response:
        return _json({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        reasons = {key: site.not_ready for key, site in self._sites.items() if site.not_ready}
        if reasons:
            return _json({"status": "not ready", "not_ready": reasons}, HTTPStatus.SERVICE_UNAVAILABLE)
        return _json({"status": "ready"})

    async def sites(self, _: Request) -> Response:
        return _json(
            [
                {
                    "key": key,
                    "name": runtime.site.name,
                    "timezone": runtime.site.timezone,
                    "latitude": runtime.site.latitude,
                    "longitude": runtime.site.longitude,
                    "modbus_port": runtime.modbus.port,
                    "bacnet_port": runtime.bacnet.port if runtime.bacnet else None,
                    "devices": runtime.site.devices,
                    "mqtt": runtime.mqtt.listed() if runtime.mqtt else [],
                }
                for key, runtime in self._sites.items()
            ]
        )

    async def list_faults(self, request: Request) -> Response:
        faults = self._site(request).faults.active()
        return _json([{"id": fault.id, **msgspec.to_builtins(fault.request)} for fault in faults])

    async def add_fault(self, request: Request) -> Response:
        site = self._site(request)
        fault = await _body(request, FaultRequest)
        if fault.device is not None and fault.device not in site.named:
            _refuse("device", f"{site.site.key} has no device {fault.device!r}; {_choose(site.named)}, or null")
        if fault.seconds is not None and not 0 < fault.seconds <= 1e7:
            _refuse("seconds", "write a positive number of seconds, or null for a fault that lasts until it is cleared")
        if not 0 <= fault.delay <= 3600:
            _refuse("delay", "write 0 to 3600 seconds")
        if fault.kind is FaultKind.EXCEPTION and not 1 <= fault.code <= 11:
            _refuse("code", "write a Modbus exception code, 1 to 11")
        return _json({"id": site.inject(fault)}, HTTPStatus.CREATED)

    async def clear_faults(self, request: Request) -> Response:
        fault = request.path_params.get("fault")
        cleared = self._site(request).clear_faults(fault)
        if fault is not None and not cleared:
            raise Problem(HTTPStatus.NOT_FOUND, f"there is no active fault {fault!r}")
        return _json({"cleared": cleared})

    async def show_point(self, request: Request) -> Response:
        device, name = self._point(request)
        pin = device.pins.get(name)
        if pin is None:
            return _json({"value": device.value(name), "first_answer": None, "pinned": False})
        return _json({"value": pin.value, "first_answer": pin.first_answer, "pinned": True})

    async def pin_point(self, request: Request) -> Response:
        wanted = await _body(request, PinRequest)
        device, name = self._point(request)
        try:
            pin = device.pin(name, wanted.value)
        except PointRefusedError as error:
            _refuse("value", str(error))
        _log.info("point_pinned", point=f"{device.device.key}.{name}", value=pin.value)
        return _json({"value": pin.value, "first_answer": None, "pinned": True})

    async def unpin_point(self, request: Request) -> Response:
        device, name = self._point(request)
        if device.unpin(name):
            _log.info("point_released", point=f"{device.device.key}.{name}")
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _site(self, request: Request) -> SiteRuntime:
        key = request.path_params["site"]
        if key not in self._sites:
            raise Problem(HTTPStatus.NOT_FOUND, f"there is no site {key!r}; {_choose(self._sites)}")
        return self._sites[key]

    def _point(self, request: Request) -> tuple[DeviceImage | BacnetImage, str]:
        """The device, brought up to now, and a point that it has."""
        site = self._site(request)
        key, name = request.path_params["device"], request.path_params["name"]
        if key not in site.devices:
            raise Problem(HTTPStatus.NOT_FOUND, f"{site.site.key} has no device {key!r}; {_choose(site.devices)}")
        site.advance()
        try:
            site.devices[key].point(name)
        except PointRefusedError as error:
            raise Problem(HTTPStatus.NOT_FOUND, str(error)) from None
        return site.devices[key], name


def _choose(names: Iterable[str]) -> str:
    return f"choose from {', '.join(names)}"


def _refuse(field: str, problem: str) -> NoReturn:
    raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, problem, field)


async def _body[T](request: Request, kind: type[T]) -> T:
    payload = bytearray()
    async for chunk in request.stream():
        payload += chunk
        if len(payload) > MAX_BODY:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MAX_BODY} bytes are accepted")
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.ValidationError as error:
        # msgspec names the field as `name`, or as a path at the end: `$.name`
        field = str(error).rstrip("`").rpartition("`")[2].removeprefix("$.")
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), field) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from None


def _json(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def _answer_problem(_: Request, error: Exception) -> Response:
    found = cast("Problem", error)  # registered for nothing else
    problem = {"type": "about:blank", "title": found.status.phrase, "status": found.status, "detail": str(found)}
    if found.field is not None:
        problem["errors"] = [{"field": found.field, "message": str(found)}]
    return Response(msgspec.json.encode(problem), found.status, media_type="application/problem+json")


async def _answer_http(request: Request, error: Exception) -> Response:
    found = cast("HTTPException", error)
    return await _answer_problem(request, Problem(HTTPStatus(found.status_code), found.detail))


class RequestId:
    """Binds `X-Request-ID`, or a new one, to the log and sends it back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("ascii", "ignore")
        request_id = sent if sent.isprintable() and 0 < len(sent) <= 128 else str(uuid.uuid4())

        async def echo(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, echo)
