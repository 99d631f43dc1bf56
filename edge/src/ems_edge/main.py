"""`ems-edge run | validate | status`.

Exit codes: 0 well, 1 it could not run, 2 a file, an option or a variable is wrong (the message names
file, field and remedy).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Never

import typer
from ems_contract import logs

from ems_edge import store
from ems_edge.config import Backend, Settings, check_bootstrap, check_config
from ems_edge.fleet import Fleet
from ems_edge.problems import ConfigError, Document, read_yaml
from ems_edge.profile import Profiles, check_profile
from ems_edge.runtime import Edge, StoreError

app = typer.Typer(
    help="Edge controller: reads field devices, buffers durably, publishes to Redis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

File = Annotated[Path, typer.Argument(help="A YAML file.", show_default=False)]


@app.command()
def run(
    bootstrap: File,
    health_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Serve /healthz and /readyz on this port.")
    ] = None,
    health_host: Annotated[str, typer.Option(help="On this address; 0.0.0.0 for probes from outside.")] = "127.0.0.1",
) -> None:
    """Run the edge until SIGTERM or Ctrl-C."""
    settings = _load(bootstrap)
    _log_lines()
    try:
        asyncio.run(_until_signal(Edge(settings, health_port, health_host)))
    except (StoreError, store.StoreVersionError, OSError, sqlite3.Error) as error:
        _fail(str(error), 1)


async def _until_signal(runner: Edge | Fleet) -> None:
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, runner.stop)
    await runner.run()


def _log_lines() -> None:
    logs.configure("edge", _level())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request


@app.command()
def fleet(
    directory: Annotated[Path, typer.Argument(help="Its *.yaml are bootstrap files.", exists=True, file_okay=False)],
    health_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Serve /healthz and /readyz on this port.")
    ] = None,
    health_host: Annotated[str, typer.Option(help="On this address; 0.0.0.0 for probes from outside.")] = "127.0.0.1",
) -> None:
    """Run an edge for each bootstrap file of a directory, until SIGTERM; files may come, change and go."""
    _log_lines()
    try:
        asyncio.run(_until_signal(Fleet(directory, health_port, health_host)))
    except OSError as error:
        _fail(str(error), 1)


@app.command()
def validate(
    file: File,
    profiles: Annotated[Path | None, typer.Option(help="Directory of own profiles, for a configuration.")] = None,
) -> None:
    """Check a bootstrap file, a configuration or a profile, and say what is wrong with it."""
    try:
        document = read_yaml(file)
        typer.echo(_describe(document, file, Profiles(profiles)))
    except ConfigError as error:
        _fail(str(error), 2)


def _describe(document: Document, file: Path, profiles: Profiles) -> str:
    if "points" in document.data:
        profile = check_profile(document)
        return f"{file}: profile {profile.profile}, {len(profile.all_points())} points"
    if "devices" in document.data:
        plan = check_config(document, profiles)
        return f"{file}: configuration {plan.config.revision}, {len(plan.devices)} devices, {len(plan.points)} points"
    settings = check_bootstrap(document, file.resolve().parent)
    kind = f"backend {settings.source.url}" if isinstance(settings.source, Backend) else "standalone"
    return f"{file}: bootstrap, {kind}, store {settings.store or 'in memory'}"


@app.command()
def status(bootstrap: File) -> None:
    """What the store holds: backlog, oldest batch, boots. The edge may be running."""
    settings = _load(bootstrap)
    if settings.store is None:
        _fail("this edge buffers in memory; there is no store to look at", 1)
    path = settings.store / store.FILE
    if not path.exists():
        _fail(f"{path} is not there; the edge has never run on this store", 1)
    try:
        stats, last_ts = store.read_stats(path)
    except sqlite3.Error as error:
        _fail(f"{path} cannot be read: {error}", 1)
    typer.echo(f"store    {path}")
    typer.echo(
        f"backlog  {stats.batches} batches, {stats.size / 1_048_576:.1f} MiB of {settings.store_limit >> 20} MiB"
    )
    typer.echo(f"oldest   {_moment(stats.oldest)}")
    typer.echo(f"newest   {_moment(stats.newest)}")
    typer.echo(f"last ts  {_moment(last_ts)}")
    for boot, count in stats.boots.items():
        typer.echo(f"boot     {boot}  {count} batches")


def _moment(ms: int | None) -> str:
    return "-" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def _level() -> str:
    level = os.environ.get("EMS_LOG_LEVEL", "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        _fail(f"EMS_LOG_LEVEL: {level!r} is no level; write DEBUG, INFO, WARNING or ERROR", 2)
    return level


def _load(path: Path) -> Settings:
    try:
        return check_bootstrap(read_yaml(path), path.resolve().parent)
    except ConfigError as error:
        _fail(str(error), 2)


def _fail(message: str, code: int) -> Never:
    typer.echo(logs.redact(message), err=True)
    raise typer.Exit(code)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
