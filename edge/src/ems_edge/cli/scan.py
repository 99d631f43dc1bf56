"""`ems-edge scan`: who answers. Each protocol's command is its driver's own scan, and this page shows what it finds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import typer

from ems_edge.cli import output
from ems_edge.driver import Found

scan = typer.Typer(help="Find devices: each protocol in its own way.", no_args_is_help=True)


def show(found: AsyncIterator[Found], as_json: bool) -> None:
    """Each device as it is found; at the end, how many. Raises typer.Exit where nobody answers."""
    try:
        devices = asyncio.run(_collect(found, as_json))
    except ValueError as error:
        output.fail(f"{error}; correct the option", output.WRONG)
    except OSError as error:
        output.fail(f"{error}; check address and wiring", output.FAILED)
    if as_json:
        output.emit([_as_json(device) for device in devices])
    if not devices:
        output.fail("nobody answers; check address, wiring and settings, or scan a wider range", output.FAILED)


async def _collect(found: AsyncIterator[Found], quiet: bool) -> list[Found]:
    devices: list[Found] = []
    with output.progress() as progress:
        progress.add_task("scanning", total=None)
        async for device in found:
            devices.append(device)
            if not quiet:
                progress.console.print(_line(device), soft_wrap=True)
    return devices


def _line(device: Found) -> str:
    says = ", ".join(f"{name} {value}" for name, value in device.says.items())
    profile = f"  profile {device.profile}" if device.profile else ""
    return f"{device.name}  {output.in_words(device.connection)}{profile}  {says}".rstrip()


def _as_json(device: Found) -> dict[str, object]:
    return {
        "name": device.name,
        "connection": output.shown(device.connection),
        "says": dict(device.says),
        "profile": device.profile,
    }


@scan.callback()
def _about() -> None:
    """Find devices."""
