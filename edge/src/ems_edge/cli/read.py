"""`ems-edge read`: what devices say now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from ems_contract.points import Reason
from rich.text import Text

from ems_edge.cli import output, targets
from ems_edge.cli.devices import connected, read
from ems_edge.cli.targets import Target
from ems_edge.decode import Value
from ems_edge.problems import ConfigError
from ems_edge.profile_common import CommonPoint

Source = Annotated[str, typer.Argument(help="A bootstrap file, a configuration, a profile's file or a profile's name.")]
ProfileFolder = Annotated[Path | None, typer.Option("--profiles", help="Directory of own profiles.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for devices that tell by themselves (MQTT).")]

Answers = list[tuple[Target, dict[str, Value]]]


def read_devices(
    source: Source,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DEVICE[.POINT]...] | [POINT...] [OPTION=VALUE...]",
            help="Of a file: its devices and points. Of a profile: points, and the connection: host=10.0.0.5 unit=2.",
        ),
    ] = None,
    profiles: ProfileFolder = None,
    wait: Wait = 5.0,
    as_json: output.Json = False,
) -> None:
    """Read devices once: each point's value, unit and quality."""
    try:
        found = targets.find(source, words or [], profiles)
        answers = asyncio.run(_read_all(found.devices, wait))
    except ConfigError as error:
        output.fail(str(error), output.WRONG)
    except ValueError as error:
        output.fail(output.sentence(error, "correct the connection"), output.WRONG)
    if as_json:
        output.emit([row for answer in answers for row in _as_json(*answer)])
    else:
        _show(answers)
    silent = [target.key for target, values in answers if all(isinstance(value, Reason) for value in values.values())]
    if silent:
        reasons = {value for target, values in answers if target.key in silent for value in values.values()}
        named = ", ".join(sorted(str(reason) for reason in reasons))
        output.fail(f"no good value from {', '.join(silent)} ({named}); check address, unit and wiring", output.FAILED)


async def _read_all(devices: tuple[Target, ...], wait: float) -> Answers:
    """All at once, as the edge does."""
    async with connected(devices) as found:
        with output.progress() as progress:
            task = progress.add_task("reading", total=len(found))

            async def one(number: int) -> tuple[Target, dict[str, Value]]:
                target, device = found[number]
                values = await read(target, device, wait)
                progress.advance(task)
                return target, values

            return list(await asyncio.gather(*(one(number) for number in range(len(found)))))


def _show(answers: Answers) -> None:
    several = len(answers) > 1
    rows: list[list[str | Text]] = [
        [
            f"{target.key}.{point.key}" if several else point.key,
            value_text(point, values.get(point.key, Reason.NO_VALUE)),
            point.unit,
            quality_text(values.get(point.key, Reason.NO_VALUE)),
        ]
        for target, values in answers
        for point in target.points
    ]
    output.table({"POINT": "left", "VALUE": "right", "UNIT": "left", "QUALITY": "left"}, rows)


def value_text(point: CommonPoint, value: Value) -> str:
    if isinstance(value, Reason):
        return "-"
    name = point.states.get(int(value)) if point.states else None
    return f"{output.number(value)} {name}" if name else output.number(value)


def quality_text(value: Value) -> Text:
    return Text(f"bad: {value.value}", "red") if isinstance(value, Reason) else Text("good", "green")


def _as_json(target: Target, values: dict[str, Value]) -> list[dict[str, object]]:
    rows = []
    for point in target.points:
        value = values.get(point.key, Reason.NO_VALUE)
        good = not isinstance(value, Reason)
        row: dict[str, object] = {"device": target.key, "point": point.key, "value": value if good else None}
        row |= {"unit": point.unit, "quality": "good" if good else "bad"}
        if not good:
            row["reason"] = str(value)
        elif point.states:
            row["state"] = point.states.get(int(value))
        rows.append(row)
    return rows
