"""`ems-edge scan`: who answers. Each protocol's command is its driver's own scan; `show` is what they have in common.

A protocol that can make a profile of what it found gives `draft`: a function from a found device to its profile's YAML.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ems_edge.cli import output
from ems_edge.cli.targets import Connection, connection
from ems_edge.driver import Found
from ems_edge.problems import ConfigError, parse_yaml

if TYPE_CHECKING:  # a protocol's library is loaded by who uses it
    from ems_edge.drivers.mqtt_discovery import HomeDevice

scan = typer.Typer(
    help="Find devices, each protocol in its own way; what answers can be made into profiles.", no_args_is_help=True
)

Patience = Annotated[float, typer.Option(min=0.1, help="Seconds to wait for answers.")]
Units = Annotated[str, typer.Option(help="Which units to ask: 1-247, or 1,3,10-20.")]
Hosts = Annotated[
    list[str] | None, typer.Option("--hosts", help="Instead of host=: 10.0.0.0/24, 10.0.0.5-20; may be repeated.")
]
Options = Annotated[
    list[str] | None, typer.Argument(metavar="OPTION=VALUE...", help="The connection: host=10.0.0.5 timeout=0.3 ...")
]
Draft = Callable[[Found], Awaitable[str]]
Folder = Annotated[
    Path | None, typer.Option("--draft", file_okay=False, help="Make a profile of each device found, in this folder.")
]


@scan.command()
def modbus(
    line: Options = None,
    units: Units = "1-247",
    hosts: Hosts = None,
    as_json: output.Json = False,
) -> None:
    """Modbus: the units that answer behind an address or on a serial line, and what they call themselves."""
    from ems_edge.drivers import modbus_scan

    show(modbus_scan.scan(_connection("modbus", line), _units(units), hosts or ()), as_json)


@scan.command()
def sunspec(
    line: Options = None,
    units: Units = "1",
    hosts: Hosts = None,
    draft: Folder = None,
    as_json: output.Json = False,
) -> None:
    """SunSpec: the units that speak it, and their models; a device makes its own profile."""
    from ems_edge.drivers import sunspec_scan
    from ems_edge.drivers.sunspec_profile import make_profile

    async def models(found: Found) -> str:
        return make_profile(_word(found.name), await sunspec_scan.survey(found.connection))

    show(sunspec_scan.scan(_connection("sunspec", line), _units(units), hosts or ()), as_json, draft, models)


@scan.command()
def bacnet(
    target: Annotated[str, typer.Argument(help="A device's address, or a network's broadcast.")] = "255.255.255.255",
    low: Annotated[int, typer.Option(min=0, help="The first device instance to ask for.")] = 0,
    high: Annotated[int, typer.Option(max=4_194_302, help="The last one.")] = 4_194_302,
    local: Annotated[str | None, typer.Option(help="This machine's address:port, where it has several.")] = None,
    patience: Patience = 3.0,
    draft: Folder = None,
    as_json: output.Json = False,
) -> None:
    """BACnet/IP: Who-Is; a profile can be drafted from a device's own list of objects."""
    from ems_edge.drivers import bacnet_scan
    from ems_edge.drivers.bacnet_draft import draft as drafted

    async def objects(found: Found) -> str:
        described = await bacnet_scan.describe(str(found.connection["address"]), int(found.connection["device"]))
        return drafted(found.name, found.name, described, says=", ".join(found.says.values()))

    show(bacnet_scan.scan(target, low=low, high=high, local=local, patience=patience), as_json, draft, objects)


@scan.command()
def mqtt(
    broker: Options = None,
    prefix: Annotated[str, typer.Option(help="Where announcements are published.")] = "homeassistant",
    patience: Patience = 2.0,
    draft: Folder = None,
    as_json: output.Json = False,
) -> None:
    """MQTT: the devices that announce themselves on a broker, as they do for Home Assistant."""
    from ems_edge.drivers import mqtt_scan
    from ems_edge.drivers.mqtt_draft import draft as drafted

    given = _connection("mqtt", broker)
    announced: dict[str, HomeDevice] = {}

    async def announcement(found: Found) -> str:
        if not announced:  # listen once more, for all of them
            devices = await mqtt_scan.discover(given, prefix=prefix, patience=patience)
            announced.update({device.id: device for device in devices})
        known = announced.get(found.says.get("id", ""))
        if known is None:
            problem = "did not announce itself a second time"
            raise ConfigError(found.name, "", problem, "scan again, with a longer --patience")
        return drafted(known)

    show(mqtt_scan.scan(given, prefix=prefix, patience=patience), as_json, draft, announcement)


def _connection(driver: str, options: list[str] | None) -> Connection:
    try:
        return connection(driver, options or [])
    except ConfigError as error:
        output.fail(str(error), output.WRONG)


def _units(text: str) -> list[int]:
    """From `1,3,10-20`."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdigit() or not (last or first).isdigit() or not 0 <= int(first) <= int(last or first) <= 255:
            output.fail(f"--units: {part.strip()!r} is no unit; write 1-247, or 1,3,10-20", output.WRONG)
        found += range(int(first), int(last or first) + 1)
    return found


def show(found: AsyncIterator[Found], as_json: bool, folder: Path | None = None, draft: Draft | None = None) -> None:
    """Each device as it is found, and its profile where a folder is given. Raises typer.Exit where nobody answers."""
    try:
        rows, wrong = asyncio.run(_collect(found, as_json, folder, draft))
    except ConfigError as error:
        output.fail(str(error), output.FAILED)
    except ValueError as error:
        output.fail(output.sentence(error, "correct the option"), output.WRONG)
    except OSError as error:
        output.fail(output.sentence(error, "check address and wiring"), output.FAILED)
    if as_json:
        output.emit(rows)
    if not rows:
        output.fail("nobody answers; check address, wiring and settings, or scan a wider range", output.FAILED)
    if wrong:
        raise typer.Exit(output.FAILED)


async def _collect(
    found: AsyncIterator[Found], quiet: bool, folder: Path | None, draft: Draft | None
) -> tuple[list[dict[str, object]], bool]:
    """What was found, and whether a profile could not be made; the others are found and made all the same."""
    rows: list[dict[str, object]] = []
    wrong = False
    with output.progress() as progress:
        progress.add_task("scanning", total=None)
        async for device in found:
            row: dict[str, object] = {"name": device.name, "connection": output.shown(device.connection)}
            row |= {"says": dict(device.says), "profile": device.profile}
            if not quiet:
                output.say(_line(device))
            if folder is not None and draft is not None:
                try:
                    file = _keep(folder, await draft(device))
                except (ConfigError, OSError, ValueError) as error:
                    wrong = True
                    output.complain(f"  no profile of {device.name}: {output.sentence(error, 'scan it again')}")
                else:
                    row["draft"] = str(file)
                    output.note(f"  {file}: drafted; check it, then `ems-edge validate {file}`")
            rows.append(row)
    return rows, wrong


def _line(device: Found) -> str:
    says = ", ".join(f"{name} {value}" for name, value in device.says.items())
    profile = f"  profile {device.profile}" if device.profile else ""
    return f"{device.name}  {output.in_words(device.connection)}{profile}  {says}".rstrip()


def _word(name: str) -> str:
    """`Fronius Symo 10.0` -> `fronius_symo_10_0`; a profile's name begins with a letter, and YAML's null is none."""
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return (word if word[:1].isalpha() and word not in ("true", "false", "null") else f"device_{word}".rstrip("_"))[:48]


def _keep(folder: Path, text: str) -> Path:
    """Under the profile's own name; a file that is there is somebody's work and stays, and is enough where it says the
    same: devices of one kind are many. Raises ConfigError, OSError."""
    file = folder / f"{parse_yaml(text, 'draft').data['profile']}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as sink:
            sink.write(text)
    except FileExistsError:
        if file.read_bytes() == text.encode():
            return file
        raise ConfigError(str(file), "", "is there already", "move it, or give another folder") from None
    return file
