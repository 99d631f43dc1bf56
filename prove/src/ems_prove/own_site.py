"""A site of an experiment's own, with an edge and a key, so that nothing it does is seen on the demo's sites."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import msgspec
from ems_contract.provisioning import RedisAccess, SessionAnswer
from ems_stack.stack import Stack


@dataclass(frozen=True)
class OwnSite:
    """`key` is the edge's API key; `redis` what a session gave for it."""

    id: int
    edge: int
    key: str = field(repr=False)
    redis: RedisAccess


@contextmanager
def own_site(stack: Stack, client: httpx.Client, name: str) -> Iterator[OwnSite]:
    """In the organization of the demo's first site; deleted with its history afterwards. `client`: a platform admin."""
    organization = client.get(f"/api/sites/{stack.sites[0].id}").raise_for_status().json()["organization"]["id"]
    where = {"timezone": "UTC", "latitude": 51.05, "longitude": 13.74}
    made = client.post("/api/sites", json={"organization": organization, "name": name, **where}).raise_for_status()
    site = int(made.json()["id"])
    try:
        edge = int(client.post("/api/edges", json={"site": site, "name": name}).raise_for_status().json()["id"])
        key = client.post(f"/api/edges/{edge}/keys").raise_for_status().json()
        yield OwnSite(site, edge, key["key"], _session(stack, key["key"]).redis)
        client.delete(f"/api/edge-keys/{key['id']}").raise_for_status()
    finally:
        client.request("DELETE", f"/api/sites/{site}", json={"name": name})


def _session(stack: Stack, key: str) -> SessionAnswer:
    answer = httpx.post(
        f"{stack.url('backend')}/api/edge/session",
        json={"boot": str(uuid.uuid4()), "software": "prove"},
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
    )
    return msgspec.json.decode(answer.raise_for_status().content, type=SessionAnswer)
