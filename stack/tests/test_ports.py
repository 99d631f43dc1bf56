"""Ports: overridable, and a taken one is named with its holder and the variable to change."""

from __future__ import annotations

import os
import socket

import pytest
from ems_stack import ports
from ems_stack.ports import Ports, PortTakenError


def test_a_taken_port_names_the_service_the_holder_and_the_variable() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PortTakenError) as caught:
            ports.demand(port, "EMS_PORT_WEB", "web")
    message = str(caught.value)
    assert f"port {port}" in message
    assert "web" in message
    assert "EMS_PORT_WEB" in message
    assert f"(process {os.getpid()})" in message


def test_a_taken_udp_port_names_its_holder_and_a_tcp_connection_of_that_number_takes_nothing() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as holder, socket.socket() as other:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"port {port}, which bacnet needs.*process {os.getpid()}"):
            ports.demand(port, "EMS_PORT_BACNET", "bacnet", udp=True)
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports.demand(other.getsockname()[1], "EMS_PORT_BACNET", "bacnet", udp=True)


def test_free_ports_are_free_and_different() -> None:
    found = ports.free_ports(5)
    assert len(set(found)) == 5
    assert all(ports.is_free(port) for port in found)


def test_adjacent_ports_are_a_row() -> None:
    found = ports.free_ports(4, adjacent=True)
    assert found == list(range(found[0], found[0] + 4))


def test_a_variable_moves_a_service() -> None:
    chosen = Ports.from_environment({"EMS_PORT_WEB": "3100", "EMS_PORT_MODBUS": "6020"})
    assert (chosen.web, chosen.modbus, chosen.backend) == (3100, 6020, 8000)
    assert chosen.taken_by("modbus") == [6020, 6021, 6022, 6023]
    assert chosen.taken_by("web") == [3100]


@pytest.mark.parametrize("text", ["0", "65536", "web", "-1", "80.5"])
def test_a_variable_that_is_no_port_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="EMS_PORT_BACKEND"):
        Ports.from_environment({"EMS_PORT_BACKEND": text})


def test_the_last_port_of_a_row_must_exist_too() -> None:
    with pytest.raises(ValueError, match="EMS_PORT_MODBUS"):
        Ports.from_environment({"EMS_PORT_MODBUS": "65534"})


@pytest.mark.parametrize(("name", "port", "other"), [("WEB", "8000", "BACKEND"), ("REDIS", "5023", "MODBUS")])
def test_two_services_on_one_port_are_both_named(name: str, port: str, other: str) -> None:
    with pytest.raises(ValueError, match=f"both need port {port}") as caught:
        Ports.from_environment({f"EMS_PORT_{name}": port})
    assert {f"EMS_PORT_{name}", f"EMS_PORT_{other}"} <= set(str(caught.value).replace(":", " ").split())


def test_an_isolated_stack_gets_ports_of_its_own() -> None:
    one = Ports.free()
    every = [port for name in ("web", "backend", "redis", "modbus", "bacnet", "edge") for port in one.taken_by(name)]
    assert len(every) == len(set(every)) == 12
