"""A user of one organization asks for a site of another: as if it did not exist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import httpx
from ems_contract.frames import SUBPROTOCOL
from ems_stack.stack import Stack
from websockets import Origin, Subprotocol
from websockets.sync.client import ClientConnection, connect

from ems_prove.experiment import Outcome
from ems_prove.lab import Lab

PATHS = (
    "/api/sites/{site}",
    "/api/sites/{site}/points",
    "/api/sites/{site}/assets",
    "/api/telemetry/historical?site={site}&points=grid_meter.active_power&from=0",
)
NOWHERE = 999_999_999


def measure(lab: Lab) -> Outcome:
    """Every account of one organization against every site of the other ones."""
    tried = alike = 0
    for account in lab.stack.accounts:
        with lab.stack.client(account.email) as client:
            visible = {site["id"] for site in client.get("/api/sites").raise_for_status().json()["results"]}
            nowhere = rest_answers(client, NOWHERE)
            foreign = sorted(set(lab.stack.site_ids.values()) - visible)
            for site in foreign:
                tried += len(PATHS)
                pairs = zip(rest_answers(client, site), nowhere, strict=True)
                alike += sum(mine == theirs and mine[0] == HTTPStatus.NOT_FOUND for mine, theirs in pairs)
        if visible and foreign:
            tried += 1
            refused = live_refusal(lab.stack, account.email, foreign[0])
            alike += refused == live_refusal(lab.stack, account.email, NOWHERE) and refused["type"] == "error"
    return Outcome(
        f"{alike} of {tried} requests for foreign sites answered as for a site that does not exist",
        "all of them",
        alike == tried > 0,
    )


def rest_answers(client: httpx.Client, site: int) -> list[tuple[int, str]]:
    """(status, body) for each path; the body must not even name the site, so it is compared byte for byte."""
    return [(answer.status_code, answer.text) for answer in (client.get(path.format(site=site)) for path in PATHS)]


def live_refusal(stack: Stack, who: str, site: int) -> dict[str, Any]:
    """What the WebSocket answers to a subscription: the first frame that names the site, without its name."""
    with open_socket(stack, who) as socket:
        socket.send(json.dumps({"type": "subscribe", "sites": [f"site_{site}"]}))
        while True:
            frame: dict[str, Any] = json.loads(socket.recv(timeout=10))
            if frame.get("site") == f"site_{site}":
                return {**frame, "site": "<site>"}


@contextmanager
def open_socket(stack: Stack, who: str) -> Iterator[ClientConnection]:
    """Connected and authenticated as a role or e-mail, the welcome not read yet."""
    origin, protocols = Origin(stack.url("web")), [Subprotocol(SUBPROTOCOL)]
    with connect(stack.url("ws"), subprotocols=protocols, origin=origin, proxy=None) as socket:
        socket.send(json.dumps({"type": "auth", "token": stack.token(who)}))
        yield socket
