"""The simulator process: binds every port, starts every site, serves until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn

from ems_simulator import sites
from ems_simulator.bacnet import BacnetServer
from ems_simulator.bacnet import listen as listen_udp
from ems_simulator.clock import SimulationClock
from ems_simulator.control import control_app
from ems_simulator.ledger import Ledger
from ems_simulator.live import LiveSite
from ems_simulator.modbus import ModbusServer, listen
from ems_simulator.mqtt import Broker
from ems_simulator.runtime import SiteRuntime

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Options:
    """Site number i answers on `modbus_port` + i, the BACnet devices on `bacnet_port` and those that follow.

    Port 0 takes free ports. `ledger` None keeps none.
    """

    sites: tuple[str, ...]
    modbus_port: int
    bacnet_port: int
    control_port: int
    ledger: Path | None
    seed: int
    start_ms: int | None
    speed: float
    host: str
    broker: Broker | None = None
    """Where the MQTT devices of the sites publish; without one there are none."""


class StartError(Exception):
    """The simulator cannot start with these options; the message names the option and the remedy."""


async def serve(options: Options) -> None:
    """Run until SIGTERM or SIGINT. Raises StartError, UnknownSiteError, DataFileError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as stack:
        control = _bind(stack, options, options.control_port, "--control-port", "the control API")
        runtimes = _runtimes(stack, options)
        server = ControlServer(
            uvicorn.Config(control_app(runtimes), log_config=None, log_level="warning", timeout_graceful_shutdown=3)
        )
        serving = asyncio.create_task(server.serve(sockets=[control]))
        for runtime in runtimes.values():
            await runtime.start()
        _log.info(
            "ready",
            control_port=control.getsockname()[1],
            broker=f"{options.broker.host}:{options.broker.port}" if options.broker else None,
            modbus_ports={key: runtime.modbus.port for key, runtime in runtimes.items()},
            bacnet_ports={key: runtime.bacnet.port for key, runtime in runtimes.items() if runtime.bacnet},
            seed=options.seed,
            speed=options.speed,
        )
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
        _log.info("stopping")
        server.should_exit = True
        stopped.cancel()
        await serving
        await asyncio.gather(*(runtime.mqtt.close() for runtime in runtimes.values() if runtime.mqtt is not None))
    _log.info("stopped")


def _runtimes(stack: contextlib.ExitStack, options: Options) -> dict[str, SiteRuntime]:
    """Every port first: a taken one is told before time is spent on physics."""
    found = [sites.site(key) for key in options.sites]
    bound = []
    for number, site in enumerate(found):
        port = options.modbus_port + number if options.modbus_port else 0
        bound.append(_bind(stack, options, port, "--modbus-port", f"site {site.key}"))
    bacnet = dict(_bacnet_servers(stack, options, found))
    clock = SimulationClock(options.start_ms, options.speed)
    runtimes = {}
    for site, listener in zip(found, bound, strict=True):
        ledger = _ledger(options.ledger, site.key)
        live = LiveSite(site, clock.now_ms(), options.seed)
        modbus = ModbusServer(options.host, listener, options.seed)
        runtimes[site.key] = SiteRuntime(live, clock, modbus, ledger, bacnet.get(site.key))
        if options.broker is not None:
            runtimes[site.key].join(options.broker, _ledger(options.ledger, f"{site.key}.mqtt"))
        stack.callback(runtimes[site.key].close)
    return runtimes


def _bacnet_servers(
    stack: contextlib.ExitStack, options: Options, found: list[sites.Site]
) -> Iterator[tuple[str, BacnetServer]]:
    for number, site in enumerate(site for site in found if site.air_handler):
        port = options.bacnet_port + number if options.bacnet_port else 0
        bound = _bind(stack, options, port, "--bacnet-port", f"site {site.key}", listen_udp)
        yield site.key, BacnetServer(bound, options.seed)


def _bind(
    stack: contextlib.ExitStack,
    options: Options,
    port: int,
    option: str,
    what: str,
    opened: Callable[[str, int], socket.socket] = listen,
) -> socket.socket:
    try:
        return stack.enter_context(contextlib.closing(opened(options.host, port)))
    except (OSError, OverflowError) as error:
        raise StartError(
            f"{option}: port {port} for {what} on {options.host} cannot be used: {error}. "
            f"Stop the process that holds it, or choose another port with {option}."
        ) from None


def _ledger(directory: Path | None, site: str) -> Ledger:
    if directory is None:
        return Ledger(None)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return Ledger(directory / f"{site}.ndjson")
    except OSError as error:
        raise StartError(
            f"--ledger: {directory} cannot be written: {error}. Choose a directory that this user may write."
        ) from None


class ControlServer(uvicorn.Server):
    """uvicorn without its signal handlers: this process has one place that stops it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
