"""`ems-edge`: the edge itself (run, fleet), and the integrator's bench, whose commands live in `cli/`.

Exit codes: 0 well, 1 it could not be done, 2 a file, an option or a variable is wrong (the message names file, field
and remedy).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from ems_contract import logs

from ems_edge import store
from ems_edge.cli import output
from ems_edge.cli.export import buffer
from ems_edge.cli.probe import probe_registers
from ems_edge.cli.profiles import list_profiles
from ems_edge.cli.read import read_devices
from ems_edge.cli.scan import scan
from ems_edge.cli.status import Bootstrap, load, status
from ems_edge.cli.validate import validate
from ems_edge.cli.write import write_point
from ems_edge.fleet import Fleet
from ems_edge.ownership import StoreError
from ems_edge.runtime import Edge, software

app = typer.Typer(
    help="Edge controller: reads field devices, buffers durably, publishes to Redis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

HealthPort = Annotated[int | None, typer.Option(min=0, max=65_535, help="Serve /healthz and /readyz on this port.")]
HealthHost = Annotated[str, typer.Option(help="On this address; 0.0.0.0 for probes from outside.")]


def _version(asked: bool) -> None:
    if asked:
        output.say(software())
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Name, version.")
    ] = False,
) -> None:
    """Edge controller: reads field devices, buffers durably, publishes to Redis."""


def run(bootstrap: Bootstrap, health_port: HealthPort = None, health_host: HealthHost = "127.0.0.1") -> None:
    """Run the edge until SIGTERM or Ctrl-C."""
    settings = load(bootstrap)
    _log_lines()
    try:
        asyncio.run(_until_signal(Edge(settings, health_port, health_host)))
    except (StoreError, store.StoreVersionError, OSError, sqlite3.Error) as error:
        output.fail(str(error), output.FAILED)


def fleet(
    directory: Annotated[Path, typer.Argument(help="Its *.yaml are bootstrap files.", exists=True, file_okay=False)],
    health_port: HealthPort = None,
    health_host: HealthHost = "127.0.0.1",
) -> None:
    """Run an edge for each bootstrap file of a directory, until SIGTERM; files may come, change and go."""
    _log_lines()
    try:
        asyncio.run(_until_signal(Fleet(directory, health_port, health_host)))
    except OSError as error:
        output.fail(str(error), output.FAILED)


async def _until_signal(runner: Edge | Fleet) -> None:
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, runner.stop)
    await runner.run()


def _log_lines() -> None:
    logs.configure("edge", _level())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request


def _level() -> str:
    level = os.environ.get("EMS_LOG_LEVEL", "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        output.fail(f"EMS_LOG_LEVEL: {level!r} is no level; write DEBUG, INFO, WARNING or ERROR", output.WRONG)
    return level


_BENCH, _EDGE = "Bench", "Edge"
app.add_typer(scan, name="scan", rich_help_panel=_BENCH)
app.command("probe", rich_help_panel=_BENCH)(probe_registers)
app.command("profiles", rich_help_panel=_BENCH)(list_profiles)
app.command("validate", rich_help_panel=_BENCH)(validate)
app.command("read", rich_help_panel=_BENCH)(read_devices)
app.command("write", rich_help_panel=_BENCH, context_settings={"ignore_unknown_options": True})(write_point)
app.command("run", rich_help_panel=_EDGE)(run)
app.command("fleet", rich_help_panel=_EDGE)(fleet)
app.command("status", rich_help_panel=_EDGE)(status)
app.add_typer(buffer, name="buffer", rich_help_panel=_EDGE)


def main() -> None:
    only_errors()
    app()


def only_errors() -> None:
    """On the bench the answer is what counts; `run` and `fleet` set up their own log lines."""
    errors = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=errors, logger_factory=structlog.PrintLoggerFactory(sys.stderr))


if __name__ == "__main__":
    main()
