"""Ports: free ones, taken ones, and who holds them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields

import psutil

LOOPBACK = "127.0.0.1"


class PortTakenError(RuntimeError):
    """A port that the stack needs is in use by somebody else."""

    def __init__(self, port: int, variable: str, service: str, *, udp: bool = False) -> None:
        holder = describe_holder(port, udp=udp)
        by = f" by {holder}" if holder else ""
        super().__init__(
            f"port {port}, which {service} needs, is taken{by}; stop that process or set {variable} to another port"
        )
        self.port = port
        self.variable = variable


def is_free(port: int, *, udp: bool = False) -> bool:
    """Whether a server could listen here now (an old connection in TIME_WAIT does not count)."""
    if udp:
        with socket.socket(type=socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
        return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def demand(port: int, variable: str, service: str, *, udp: bool = False) -> None:
    """Raises PortTakenError, which names the holder and the variable to change."""
    if not is_free(port, udp=udp):
        raise PortTakenError(port, variable, service, udp=udp)


def free_ports(count: int, *, adjacent: bool = False) -> list[int]:
    """Ports nobody listens on now. `adjacent` gives a run of consecutive numbers."""
    if adjacent:
        for _ in range(200):
            first = free_ports(1)[0]
            run = list(range(first, first + count))
            if run[-1] < 65_536 and all(is_free(port) for port in run):
                return run
        raise RuntimeError(f"no run of {count} free ports was found")
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def describe_holder(port: int, *, udp: bool = False) -> str | None:
    """`node (process 4711)` if the operating system tells us; None if it does not."""
    held = psutil.CONN_NONE if udp else psutil.CONN_LISTEN
    with contextlib.suppress(psutil.AccessDenied, PermissionError):
        for connection in psutil.net_connections(kind="udp" if udp else "tcp"):
            if connection.status == held and connection.laddr.port == port and connection.pid:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
                return f"process {connection.pid}"
    return None


DATAGRAMS = frozenset({"bacnet"})
"""Entries of `Ports` that are UDP ports. A TCP connection that happens to have the number is no obstacle."""

SITES = 4
"""The simulator takes one Modbus port for each demo site, the edges one health port each: both in a row.

One site has a BACnet device, on a UDP port.
"""


@dataclass(frozen=True)
class Ports:
    """Where each service listens. `modbus` and `edge` are the first of SITES ports in a row."""

    web: int = 3000
    backend: int = 8000
    realtime: int = 8001
    historian: int = 8002
    worker: int = 8003
    simulator: int = 8010
    modbus: int = 5020
    bacnet: int = 47820
    edge: int = 8021
    redis: int = 6379

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Ports:
        """EMS_PORT_<NAME> overrides a default. Raises ValueError naming the variable."""
        chosen = {}
        for field in fields(cls):
            text = environment.get(variable(field.name), "")
            if not text:
                continue
            highest = 65_535 - (SITES - 1 if field.name in {"modbus", "edge"} else 0)
            if not text.isdecimal() or not 1 <= int(text) <= highest:
                raise ValueError(f"{variable(field.name)}={text!r} is no port; choose a number from 1 to {highest}")
            chosen[field.name] = int(text)
        made = cls(**chosen)
        made._demand_different()
        return made

    @classmethod
    def free(cls) -> Ports:
        """Ports nobody uses, for an isolated stack."""
        modbus = free_ports(SITES, adjacent=True)[0]
        edge = free_ports(SITES, adjacent=True)[0]
        single = [field.name for field in fields(cls) if field.name not in {"modbus", "edge"}]
        return cls(modbus=modbus, edge=edge, **dict(zip(single, free_ports(len(single)), strict=True)))

    def _demand_different(self) -> None:
        """Two services on one port: the second would never start, and the first would answer for it."""
        holders: dict[int, str] = {}
        for field in fields(self):
            for port in self.taken_by(field.name):
                if port in holders:
                    one, other = variable(holders[port]), variable(field.name)
                    raise ValueError(f"{one} and {other}: both need port {port}; move one of the two")
                holders[port] = field.name

    def taken_by(self, name: str) -> list[int]:
        """All ports of one entry."""
        first: int = getattr(self, name)
        return list(range(first, first + SITES)) if name in {"modbus", "edge"} else [first]


def variable(name: str) -> str:
    return f"EMS_PORT_{name.upper()}"
