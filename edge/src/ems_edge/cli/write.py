"""`ems-edge write`: set one point of one device, within its limits, and read it back."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import math
from pathlib import Path
from typing import Annotated

import typer
from ems_contract.points import Reason

from ems_edge.cli import output, targets
from ems_edge.cli.devices import connected
from ems_edge.cli.read import ProfileFolder, Source, value_text
from ems_edge.cli.targets import Target
from ems_edge.decode import Value
from ems_edge.driver import WritableDevice, WriteError
from ems_edge.problems import ConfigError, did_you_mean
from ems_edge.profile_common import CommonPoint

RELEASE = "release"


def write_point(
    source: Source,
    point: Annotated[str, typer.Argument(help="DEVICE.POINT of a file, POINT of a profile.")],
    value: Annotated[str, typer.Argument(help="A number in the point's unit, the name of a state, or: release.")],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[OPTION=VALUE...]", help="With a profile, the connection.")
    ] = None,
    profiles: ProfileFolder = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: output.Json = False,
) -> None:
    """Write one point after asking, and read it back. `release` gives it up where the protocol can (BACnet)."""
    try:
        target, store = _target(source, point, words or [], profiles)
        wanted = target.points[0]
        number = _number(target, wanted, value)
        if store is not None and _edge_runs(store):
            problem = f"an edge runs on {store} and is the one that writes to its devices"
            output.fail(f"{problem}; send it a command in the browser, or stop it first", output.FAILED)
        outcome = asyncio.run(_write(target, wanted, number, ask=not yes))
    except ConfigError as error:
        output.fail(str(error), output.WRONG)
    except WriteError as error:
        why = output.sentence(error, "hold the profile against the device with `ems-edge probe`")
        output.fail(f"{point} was not written: {why}", output.FAILED)
    except ValueError as error:
        output.fail(output.sentence(error, "correct the value or the connection"), output.WRONG)
    agrees = number is None or _same(wanted, outcome, number)
    if as_json:
        held = None if isinstance(outcome, Reason) else outcome
        row = {"point": wanted.key, "written": number, "read_back": held, "unit": wanted.unit, "verified": agrees}
        output.emit(row)
    elif isinstance(outcome, Reason):
        output.say(f"{point} cannot be read back: {outcome.value}")
    else:
        output.say(f"{point} reads back {value_text(wanted, outcome)} {wanted.unit}".rstrip())
    if not agrees:
        output.fail(f"{point} does not hold what was written; is something else writing to it?", output.FAILED)


def _target(source: str, point: str, words: list[str], profiles: Path | None) -> tuple[Target, Path | None]:
    found = targets.find(source, [point, *words], profiles)
    target = found.devices[0]
    if len(target.points) != 1:
        remedy = did_you_mean("", (one.key for one in target.profile.all_points() if one.writable), "name a point:")
        raise ConfigError(source, "", f"{point!r} is a device", remedy)
    return target, found.store


def _number(target: Target, point: CommonPoint, text: str) -> float | None:
    """Raises ConfigError for what must not be written: a read-only point, no number, out of limits."""
    if not point.writable:
        able = [one.key for one in target.profile.all_points() if one.writable]
        remedy = f"its writable points are {', '.join(able)}" if able else "this device has no writable point"
        raise ConfigError(target.profile.profile, point.key, "can only be read", remedy)
    if text == RELEASE:
        return None
    number = next((float(raw) for raw, name in point.states.items() if name == text), None)
    if number is None:
        with contextlib.suppress(ValueError):
            number = float(text)
        if number is None or not math.isfinite(number):
            remedy = did_you_mean(text, point.states.values()) if point.states else f"give a number in {point.unit}"
            raise ConfigError(target.profile.profile, point.key, f"{text!r} is no value", remedy)
    own = target.limits.get(f"{target.key}.{point.key}")
    lows = [point.minimum, own.minimum if own else None]
    highs = [point.maximum, own.maximum if own else None]
    low = max((limit for limit in lows if limit is not None), default=-math.inf)
    high = min((limit for limit in highs if limit is not None), default=math.inf)
    if not low <= number <= high:
        remedy = f"give {_within(low, high)} {point.unit}".rstrip()
        raise ConfigError(target.profile.profile, point.key, f"{text} is outside its limits", remedy)
    return number


def _within(low: float, high: float) -> str:
    if low == -math.inf:
        return f"at most {output.number(high)}"
    return f"{output.number(low)} or more" if high == math.inf else f"{output.number(low)} to {output.number(high)}"


def _edge_runs(store: Path) -> bool:
    """Whether a process holds the store, as `run` does."""
    try:
        with (store / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


async def _write(target: Target, point: CommonPoint, value: float | None, *, ask: bool) -> Value:
    async with connected([target]) as [(_, device)]:
        if not isinstance(device, WritableDevice):
            raise WriteError(Reason.OTHER, f"the {target.driver} driver cannot write")
        if ask:
            now = (await device.read()).get(point.key, Reason.NO_VALUE)
            _confirm(target, point, value, now)
        await device.write(point.key, value)
        return await device.read_back(point.key)


def _confirm(target: Target, point: CommonPoint, value: float | None, now: Value) -> None:
    what = "Release" if value is None else f"Write {value_text(point, value)} {point.unit} to"
    place = output.in_words(target.spec.connection)
    question = f"{what} {target.key}.{point.key} (now {value_text(point, now)} {point.unit}) at {place}?"
    try:
        agreed = typer.confirm(question)
    except typer.Abort:
        output.fail("\nnothing was written, nobody could be asked; add --yes", output.FAILED)
    if not agreed:
        output.fail("nothing was written", output.FAILED)


def _same(point: CommonPoint, told: Value, written: float) -> bool:
    """As far as the device can tell: half a step of its resolution is no difference."""
    if isinstance(told, Reason):
        return False
    return math.isclose(told, written, rel_tol=1e-6, abs_tol=abs(point.scale) / 2 + 1e-9)
