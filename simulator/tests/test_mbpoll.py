"""Debian's mbpoll (libmodbus) reads what the simulator serves, with its own decoding."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from ems_simulator.control import control_app
from ems_simulator.registers import READS, register_map
from ems_simulator.sites import site
from ems_stack import peers

from .bench import Bench, running

VALUE = re.compile(r"^\[\d+\]:\s+(0x[0-9A-F]+|-?[\d.e+-]+)", re.MULTILINE)
TYPES = {"float32": ":float", "int32": ":int", "uint32": ":int", "uint16": "", "int16": "", "uint64": ":hex"}


async def poll(bench: Bench, unit: int, function: int, kind: str, address: int, order: str) -> float:
    """One value, as mbpoll prints it."""
    count = "4" if kind == "uint64" else "1"
    words = ["-m", "tcp", "-p", str(bench.runtime.modbus.port), "-a", str(unit), "-0", "-1", "-r", str(address)]
    words += ["-c", count, "-t", f"{4 if function == 3 else 3}{TYPES[kind]}", *(["-B"] if order == "big" else [])]
    program = await asyncio.to_thread(peers.program, "mbpoll")
    process = await asyncio.create_subprocess_exec(
        program, *words, "127.0.0.1", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    printed = VALUE.findall(output.decode())
    assert process.returncode == 0, output.decode()
    if kind == "uint64":
        ordered = printed if order == "big" else printed[::-1]
        return float(int("".join(word.removeprefix("0x") for word in ordered), 16))
    return float(printed[0]) - (65536 if kind == "int16" and float(printed[0]) > 32767 else 0)


def beside(bench: Bench) -> httpx.AsyncClient:
    """The control API of the same site."""
    transport = httpx.ASGITransport(control_app({"factory": bench.runtime}))
    return httpx.AsyncClient(transport=transport, base_url="http://simulator")


async def test_every_point_of_every_kind_of_device_is_what_the_control_api_says(tmp_path: Path) -> None:
    seen: set[str] = set()
    async with running(tmp_path) as bench, beside(bench) as api:
        for device in site("factory").devices:
            if device.protocol != "modbus" or device.profile in seen:
                continue
            seen.add(device.profile)
            found = register_map(device.profile)
            for bank in found.banks:
                for point in bank.points:
                    if point.name == READS:
                        continue
                    raw = await poll(bench, device.unit, bank.functions[0], point.type, point.address, found.word_order)
                    answer = await api.get(f"/sites/factory/devices/{device.key}/points/{point.name}")
                    expected = answer.raise_for_status().json()["value"]
                    close = max(abs(expected) * 1e-5, point.scale / 2 + 1e-9)
                    assert raw * point.scale == pytest.approx(expected, abs=close), (device.key, point.name)
    assert seen == {"stl_meter", "stl_inverter", "stl_battery", "stl_hvac"}
