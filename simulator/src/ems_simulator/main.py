"""`ems-simulator run` and `ems-simulator sites`."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
from pathlib import Path
from typing import Annotated

import typer
from ems_contract import logs

from ems_simulator import sites
from ems_simulator.clock import SimulationClock
from ems_simulator.datafile import DataFileError
from ems_simulator.mqtt import Broker, broker_of
from ems_simulator.physics import DEFAULT_SEED
from ems_simulator.service import Options, StartError, serve

app = typer.Typer(
    help="Simulated sites behind real Modbus TCP, BACnet/IP and MQTT, with faults on demand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def run(
    modbus_port: Annotated[
        int, typer.Option(help="Site number i answers on this port + i; 0 takes free ports.")
    ] = 5020,
    bacnet_port: Annotated[
        int, typer.Option(help="UDP port of the first BACnet device, the others follow; 0 takes free ports.")
    ] = 47820,
    control_port: Annotated[int, typer.Option(help="HTTP port of the control API; 0 takes a free port.")] = 8010,
    ledger: Annotated[Path | None, typer.Option(help="Directory for one NDJSON file of answers for each site.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weather, load and counters.")] = DEFAULT_SEED,
    site_list: Annotated[
        str, typer.Option("--sites", help="Comma-separated site keys, in the order of their ports.")
    ] = ",".join(sites.DEMO_SITES),
    start: Annotated[
        str | None, typer.Option(help="Begin at this instant, ISO 8601 with offset, e.g. 2026-03-29T00:30:00Z.")
    ] = None,
    speed: Annotated[float, typer.Option(help="Simulated seconds for each real second.")] = 1.0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    mqtt: Annotated[
        str | None,
        typer.Option(help="Publish to this broker too: mqtt://user@host:1883, the password in EMS_MQTT_PASSWORD."),
    ] = None,
) -> None:
    """Answer Modbus TCP and BACnet/IP for the sites until SIGTERM."""
    options = Options(
        sites=_sites(site_list),
        modbus_port=_port(modbus_port, "--modbus-port"),
        bacnet_port=_port(bacnet_port, "--bacnet-port"),
        control_port=_port(control_port, "--control-port"),
        ledger=ledger,
        seed=seed,
        start_ms=_start(start),
        speed=_speed(speed),
        host=host,
        broker=_broker(mqtt),
    )
    logs.configure("simulator", _level())
    try:
        asyncio.run(serve(options))
    except (StartError, DataFileError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from None


@app.command("sites")
def list_sites() -> None:
    """Print the simulated sites."""
    typer.echo(f"{'SITE':<12}{'NAME':<22}{'TIME ZONE':<18}{'LATITUDE':>9}{'LONGITUDE':>11}  {'PORT':<6}DEVICES (UNIT)")
    for number, key in enumerate(sites.DEMO_SITES):
        site = sites.site(key)
        devices = ", ".join(f"{device.key} ({device.unit})" for device in site.devices)
        typer.echo(
            f"{key:<12}{site.name:<22}{site.timezone:<18}{site.latitude:>9.2f}{site.longitude:>11.2f}"
            f"  {5020 + number:<6}{devices}"
        )


def _sites(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not keys:
        raise typer.BadParameter(f"name at least one of {', '.join(sites.DEMO_SITES)}", param_hint="--sites")
    for key in keys:
        try:
            sites.site(key)
        except sites.UnknownSiteError as error:
            raise typer.BadParameter(str(error), param_hint="--sites") from None
        if keys.count(key) > 1:
            raise typer.BadParameter(f"{key} is named twice; name each site once", param_hint="--sites")
    return keys


def _broker(url: str | None) -> Broker | None:
    try:
        return None if url is None else broker_of(url, os.environ.get("EMS_MQTT_PASSWORD"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--mqtt") from None


def _level() -> str:
    level = os.environ.get("EMS_LOG_LEVEL", "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        raise typer.BadParameter(
            f"{level!r} is no level; write DEBUG, INFO, WARNING or ERROR", param_hint="EMS_LOG_LEVEL"
        )
    return level


def _port(port: int, option: str) -> int:
    if not 0 <= port <= 65_535 - len(sites.DEMO_SITES):
        raise typer.BadParameter(f"{port} is not a port; choose 1024 to 65000, or 0", param_hint=option)
    return port


def _start(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not 1990 <= instant.year <= 2200:
        raise typer.BadParameter(
            f"{text!r} is not an instant; write ISO 8601 with an offset, such as 2026-03-29T00:30:00Z",
            param_hint="--start",
        )
    return int(instant.timestamp() * 1000)


def _speed(speed: float) -> float:
    try:
        SimulationClock(speed=speed)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--speed") from None
    return speed


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
