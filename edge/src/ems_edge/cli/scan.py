"""`ems-edge scan`: who answers. Each protocol's command is its driver's own scan; `show` is what they have in common.

A protocol that can make a profile of what it found gives `draft`: a function from a found device to its profile's YAML.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from ems_edge.cli import output
from ems_edge.driver import Found
from ems_edge.problems import ConfigError, parse_yaml

scan = typer.Typer(
    help="Find devices, each protocol in its own way; what answers can be made into profiles.", no_args_is_help=True
)

Draft = Callable[[Found], Awaitable[str]]
Folder = Annotated[
    Path | None, typer.Option("--draft", file_okay=False, help="Make a profile of each device found, in this folder.")
]


@scan.command()
def bacnet(
    target: Annotated[str, typer.Argument(help="A device's address, or a network's broadcast.")] = "255.255.255.255",
    low: Annotated[int, typer.Option(min=0, help="The first device instance to ask for.")] = 0,
    high: Annotated[int, typer.Option(max=4_194_302, help="The last one.")] = 4_194_302,
    local: Annotated[str | None, typer.Option(help="This machine's address:port, where it has several.")] = None,
    patience: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for answers.")] = 3.0,
    draft: Folder = None,
    as_json: output.Json = False,
) -> None:
    """BACnet/IP: Who-Is; a profile can be drafted from a device's own list of objects."""
    from ems_edge.drivers import bacnet_scan
    from ems_edge.drivers.bacnet_draft import draft as drafted

    async def objects(found: Found) -> str:
        address, instance = str(found.connection["address"]), int(found.connection["device"])
        described = await bacnet_scan.describe(address, instance)
        return drafted(found.name, found.name, described, says=", ".join(found.says.values()))

    show(bacnet_scan.scan(target, low=low, high=high, local=local, patience=patience), as_json, draft, objects)


def show(found: AsyncIterator[Found], as_json: bool, folder: Path | None = None, draft: Draft | None = None) -> None:
    """Each device as it is found, and its profile where a folder is given. Raises typer.Exit where nobody answers."""
    try:
        rows = asyncio.run(_collect(found, as_json, folder, draft))
    except ConfigError as error:
        output.fail(str(error), output.FAILED)
    except ValueError as error:
        output.fail(f"{error}; correct the option", output.WRONG)
    except OSError as error:
        output.fail(f"{error}; check address, wiring and the folder", output.FAILED)
    if as_json:
        output.emit(rows)
    if not rows:
        output.fail("nobody answers; check address, wiring and settings, or scan a wider range", output.FAILED)


async def _collect(
    found: AsyncIterator[Found], quiet: bool, folder: Path | None, draft: Draft | None
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with output.progress() as progress:
        progress.add_task("scanning", total=None)
        async for device in found:
            row: dict[str, object] = {"name": device.name, "connection": output.shown(device.connection)}
            row |= {"says": dict(device.says), "profile": device.profile}
            if not quiet:
                output.say(_line(device))
            if folder is not None and draft is not None:
                file = _keep(folder, await draft(device))
                row["draft"] = str(file)
                output.note(f"  {file}: drafted; check it, then `ems-edge validate {file}`")
            rows.append(row)
    return rows


def _line(device: Found) -> str:
    says = ", ".join(f"{name} {value}" for name, value in device.says.items())
    profile = f"  profile {device.profile}" if device.profile else ""
    return f"{device.name}  {output.in_words(device.connection)}{profile}  {says}".rstrip()


def _keep(folder: Path, text: str) -> Path:
    """Under the profile's own name; a file that is there is somebody's work and stays. Raises ConfigError, OSError."""
    file = folder / f"{parse_yaml(text, 'draft').data['profile']}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as sink:
            sink.write(text)
    except FileExistsError:
        raise ConfigError(str(file), "", "is there already", "move it, or give another folder") from None
    return file
