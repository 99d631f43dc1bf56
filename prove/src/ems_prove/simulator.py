"""The simulator's control API: pins and faults."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx
from ems_stack.stack import Stack

from ems_prove.ledger import Answer, read_ledger


class Simulator:
    """The simulator of a running stack."""

    def __init__(self, stack: Stack) -> None:
        self._http = httpx.Client(base_url=stack.url("simulator"), timeout=10, trust_env=False)
        self._stack = stack
        sites = self._http.get("/sites").raise_for_status().json()
        self.profiles: dict[str, dict[str, str]] = {
            site["key"]: {device["key"]: device["profile"] for device in site["devices"]} for site in sites
        }
        """Site -> device -> profile."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def pin(self, site: str, device: str, name: str, value: float) -> None:
        self._http.put(f"/sites/{site}/devices/{device}/points/{name}", json={"value": value}).raise_for_status()

    def unpin(self, site: str, device: str, name: str) -> None:
        self._http.delete(f"/sites/{site}/devices/{device}/points/{name}").raise_for_status()

    def value(self, site: str, device: str, name: str) -> float | None:
        """What the device's register holds now, in the point's unit."""
        answer = self._http.get(f"/sites/{site}/devices/{device}/points/{name}").raise_for_status().json()
        value: float | None = answer["value"]
        return value

    def first_answer(self, site: str, device: str, name: str) -> float | None:
        """When the first answer with the pinned value was written to the socket, ms since the epoch."""
        answer = self._http.get(f"/sites/{site}/devices/{device}/points/{name}").raise_for_status().json()
        first: float | None = answer["first_answer"]
        return first

    def fault(self, site: str, kind: str, device: str | None = None, seconds: float | None = None) -> None:
        body = {"device": device, "kind": kind, "seconds": seconds}
        self._http.post(f"/sites/{site}/faults", json=body).raise_for_status()

    def mend(self, site: str) -> None:
        self._http.delete(f"/sites/{site}/faults").raise_for_status()

    def answers(self, site: str, since: float = 0, until: float = float("inf")) -> list[Answer]:
        return read_ledger(self._stack.ledger(site), self.profiles[site], since, until)
