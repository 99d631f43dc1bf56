"""`ems-edge probe`: what stands in a Modbus device's registers, and what it could mean.

By range it shows each register and what looks like something; by profile it shows each point's raw words, its value,
and a correction where that value cannot be right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from ems_contract.points import Reason
from rich.text import Text

from ems_edge import plausibility
from ems_edge.cli import output, targets
from ems_edge.cli.read import ProfileFolder
from ems_edge.cli.registers import FUNCTIONS, Registers, Words, registers
from ems_edge.cli.targets import Target
from ems_edge.decode import Codec, Type, Value, decode
from ems_edge.drivers.modbus_plan import RegisterSource
from ems_edge.problems import ConfigError

MOST = 2000
"""Registers in one probe."""
FEW = 4
"""Of so few registers, every way to read them is shown."""


def probe_registers(
    source: Annotated[str, typer.Argument(help="holding, input, coil or discrete; or a profile's name or file.")],
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[FIRST[-LAST]] | [POINT...] OPTION=VALUE...",
            help="The range of 0-based addresses, or points of the profile; and the connection: host=10.0.0.5 unit=2.",
        ),
    ],
    profiles: ProfileFolder = None,
    as_json: output.Json = False,
) -> None:
    """Read raw registers of a Modbus device and say what they look like, or hold a profile against the device."""
    try:
        if source in FUNCTIONS:
            asyncio.run(_probe_range(source, words, as_json))
        else:
            asyncio.run(_probe_profile(source, words, profiles, as_json))
    except ConfigError as error:
        output.fail(str(error), output.WRONG)
    except ValueError as error:
        output.fail(output.sentence(error, "correct the connection"), output.WRONG)


# A range ----------------------------------------------------------------------------------------------------------


async def _probe_range(function: str, words: Sequence[str], as_json: bool) -> None:
    ranges = [word for word in words if "=" not in word]
    first, last = _range(ranges[0] if ranges else "0-99")
    connection = targets.connection("modbus", [word for word in words if "=" in word])
    async with registers(connection) as device:
        with output.progress() as progress:
            task = progress.add_task("probing", total=last - first + 1)
            found, refused = await device.range(function, first, last, lambda count: progress.advance(task, count))
    if not found:
        why = refused.value if refused else "no answer"
        remedy = "try another range, another function, or `ems-edge scan modbus` for the units that answer"
        output.fail(f"no {function} register from {first} to {last}: {why}; {remedy}", output.FAILED)
    runs = _runs(found) if function in ("holding", "input") else {}
    style = plausibility.style(runs)
    meanings = {at: told for start, run in runs.items() for at, told in plausibility.survey(start, run, style).items()}
    if as_json:
        output.emit([{"address": at, "raw": word, "looks_like": meanings.get(at, "")} for at, word in found.items()])
        return
    rows = [
        [str(at), f"0x{word:04X}", str(word), str(decode([word], Codec(type=Type.INT16))), meanings.get(at, "")]
        for at, word in found.items()
    ]
    columns = {"ADDRESS": "right", "RAW": "left", "UINT16": "right", "INT16": "right", "LOOKS LIKE": "left"}
    output.table(columns, [[cell.removesuffix(".0") for cell in row] for row in rows])
    if missing := last - first + 1 - len(found):
        output.note(f"{missing} registers are refused ({refused.value if refused else 'no answer'})")
    if style is not None and style.count > 1:
        orders = f"word_order: {style.codec.word_order.value}, byte_order: {style.codec.byte_order.value}"
        output.say(f"mostly {style.codec.type.value} ({orders}): {style.count} typical values")
    if len(found) <= FEW and len(runs) == 1:
        for view in plausibility.views(list(found.values())):
            output.say(f"from {first} on: {view}")


def _runs(found: Words) -> dict[int, list[int]]:
    """Address -> the words from there on, without a hole."""
    runs: dict[int, list[int]] = {}
    start = -1
    for address, word in found.items():
        if address - 1 not in found:
            start = address
            runs[start] = []
        runs[start].append(word)
    return runs


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    try:
        first, last = int(low, 0), int(high or low, 0)
    except ValueError:
        raise ConfigError("probe", "", f"{text!r} is no range", "write 0-99, or 0x5B00-0x5B40") from None
    if not 0 <= first <= last <= 65_535 or last - first >= MOST:
        raise ConfigError("probe", "", f"{text!r} is no range", f"give 0-based addresses, at most {MOST} registers")
    return first, last


# A profile --------------------------------------------------------------------------------------------------------


async def _probe_profile(source: str, words: Sequence[str], profiles: Path | None, as_json: bool) -> None:
    target = _register_target(source, words, profiles)
    wanted = {point.key: point.unit for point in target.points}
    sources = [one for one in target.spec.points if isinstance(one, RegisterSource) and one.name in wanted]
    async with registers(target.spec.connection) as device:
        checked = [Checked(one, wanted[one.name], await device.words(one)) for one in sources]
        advice = await _elsewhere(device, checked)
    if as_json:
        output.emit({"points": [one.as_json() for one in checked], "advice": advice})
    else:
        columns = {"POINT": "left", "ADDRESS": "right", "RAW": "left", "VALUE": "right", "UNIT": "left", "": "left"}
        output.table(columns, [one.row() for one in checked])
        for sentence in advice:
            output.say(sentence)
    if all(isinstance(one.words, Reason) for one in checked):
        output.fail("the device gave none of these registers; check address, unit and wiring", output.FAILED)


def _register_target(source: str, words: Sequence[str], profiles: Path | None) -> Target:
    """Raises ConfigError for anything but one device that keeps its points in registers of the profile."""
    found = targets.find(source, words, profiles).devices
    if len(found) != 1:
        raise ConfigError(source, "", f"has {len(found)} devices", "name the one to probe")
    if not all(isinstance(one, RegisterSource) for one in found[0].spec.points):
        raise ConfigError(source, "", f"is read over {found[0].driver}, which has no registers", "use `ems-edge read`")
    return found[0]


@dataclass(frozen=True)
class Checked:
    """A point, the words at its place (or why there are none), and what is to be said of them."""

    source: RegisterSource
    unit: str
    words: tuple[int, ...] | Reason

    @property
    def value(self) -> Value:
        return self.words if isinstance(self.words, Reason) else decode(self.words, self.source.codec)

    @property
    def plausible(self) -> bool:
        return not isinstance(self.value, Reason) and plausibility.is_plausible(self.value, self.unit)

    @property
    def typical(self) -> bool:
        guess = None if isinstance(self.value, Reason) else plausibility.looks_like(self.value)
        return guess is not None and guess.unit == self.unit

    def verdict(self) -> str:
        if isinstance(self.words, Reason):
            return f"bad: {self.words.value}"
        if self.plausible or self.value is Reason.NO_VALUE:
            return "ok" if self.plausible else "no value"
        what = f"bad: {self.value.value}" if isinstance(self.value, Reason) else f"not plausible in {self.unit}"
        better = plausibility.corrections(self.words, self.source.codec, self.unit)
        return "; ".join([what, *map(str, better)])

    def row(self) -> list[str | Text]:
        raw = "-" if isinstance(self.words, Reason) else " ".join(f"{word:04X}" for word in self.words)
        value = "-" if isinstance(self.value, Reason) else output.number(self.value)
        verdict = self.verdict()
        place = f"{self.source.function} {self.source.address}"
        return [self.source.name, place, raw, value, self.unit, Text(verdict, "green" if self.plausible else "yellow")]

    def as_json(self) -> dict[str, object]:
        good = not isinstance(self.value, Reason)
        return {
            "point": self.source.name,
            "function": self.source.function,
            "address": self.source.address,
            "raw": None if isinstance(self.words, Reason) else list(self.words),
            "value": self.value if good else None,
            "unit": self.unit,
            "plausible": self.plausible,
            "verdict": self.verdict(),
        }


async def _elsewhere(device: Registers, checked: Sequence[Checked]) -> list[str]:
    """Where most values make no sense, whether they would one register beside, or in the other table."""
    if 2 * sum(one.plausible for one in checked) > len(checked):
        return []
    places = {"every address one lower (is the list 1-based?)": (-1, ""), "every address one higher": (1, "")}
    places |= {"function: input": (0, "input"), "function: holding": (0, "holding")}
    best = (sum(one.typical for one in checked), sum(one.plausible for one in checked))
    advice: list[str] = []
    for place, (shift, function) in places.items():
        moved = [_moved(one.source, shift, function) for one in checked]
        if moved == [one.source for one in checked]:
            continue
        there = [
            Checked(source, one.unit, await device.words(source)) for one, source in zip(checked, moved, strict=True)
        ]
        score = (sum(one.typical for one in there), sum(one.plausible for one in there))
        if score > best:
            best = score
            advice = [f"with {place}, {score[1]} of {len(there)} values are plausible"]
    return advice


def _moved(source: RegisterSource, shift: int, function: str) -> RegisterSource:
    registers_only = source.function in ("holding", "input")
    table = function if function and registers_only else source.function
    return replace(source, address=max(source.address + shift, 0), function=table)
