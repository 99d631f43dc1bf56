"""The command, as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from ems_simulator.main import app
from pymodbus.client import ModbusTcpClient
from typer.testing import CliRunner

COMMAND = [sys.executable, "-m", "ems_simulator.main"]


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running simulator and its `ready` line."""
    with subprocess.Popen([*COMMAND, "run", *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process, ready(process.stderr)
        finally:
            process.kill()


def ready(lines: IO[str]) -> dict[str, Any]:
    seen = []
    for line in lines:
        seen.append(line)
        entry: dict[str, Any] = json.loads(line)
        if entry["event"] == "ready":
            return entry
    raise AssertionError(f"it ended before it was ready: {seen}")


def refused(*arguments: str) -> str:
    """What the command says when it exits with 2 before it serves."""
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 2
    return " ".join(ended.output.replace("│", " ").split())


def failed(*arguments: str) -> str:
    """What a process says on stderr when it cannot start."""
    ended = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_it_answers_until_sigterm_and_leaves_a_whole_ledger(tmp_path: Path) -> None:
    free = ("--modbus-port", "0", "--bacnet-port", "0", "--control-port", "0")
    with started(*free, "--sites", "office,warehouse", "--ledger", str(tmp_path / "ledger")) as (process, line):
        assert list(line["modbus_ports"]) == ["office", "warehouse"]
        client = ModbusTcpClient("127.0.0.1", port=line["modbus_ports"]["warehouse"])
        assert client.connect()
        registers = client.read_holding_registers(0, count=30, device_id=1).registers
        assert len(registers) == 30
        sites = httpx.get(f"http://127.0.0.1:{line['control_port']}/sites").json()
        assert [site["modbus_port"] for site in sites] == list(line["modbus_ports"].values())
        assert [site["bacnet_port"] for site in sites] == [line["bacnet_ports"]["office"], None]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        client.close()
    (entry,) = [json.loads(text) for text in (tmp_path / "ledger/warehouse.ndjson").read_text().splitlines()]
    assert entry["words"] == registers
    assert (tmp_path / "ledger/office.ndjson").read_text() == ""


def test_a_dst_day_is_reached_by_starting_there_and_running_fast() -> None:
    """The shift starts at 6:00 in Berlin. On 29 March 2026 the clocks go forward; on the Monday that is 4:00 UTC."""
    options = ("--modbus-port", "0", "--control-port", "0", "--sites", "factory")
    with started(*options, "--start", "2026-03-30T01:30:00Z", "--speed", "3600") as (process, line):
        power = f"http://127.0.0.1:{line['control_port']}/sites/factory/devices/load_meter/points/active_power"
        night = httpx.get(power).json()["value"]
        deadline = time.monotonic() + 20
        while httpx.get(power).json()["value"] < night * 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_a_taken_port_is_named_with_the_option_and_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = failed("run", "--modbus-port", port, "--control-port", "0", "--sites", "factory")
        assert f"--modbus-port: port {port} for site factory" in said
        assert "choose another port with --modbus-port" in said
        assert f"--control-port: port {port}" in failed("run", "--modbus-port", "0", "--control-port", port)


def test_a_taken_udp_port_is_named_with_the_option() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        said = failed("run", "--bacnet-port", port, "--modbus-port", "0", "--control-port", "0", "--sites", "office")
        assert f"--bacnet-port: port {port} for site office" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sites", "castle"), "Invalid value for --sites: there is no site 'castle'; choose from factory, office"),
        (("--sites", "office,office"), "office is named twice"),
        (("--sites", ","), "name at least one of"),
        (("--start", "29 March"), "Invalid value for --start: '29 March' is not an instant; write ISO 8601"),
        (("--start", "2026-03-29T00:30:00"), "with an offset"),
        (("--speed", "0"), "Invalid value for --speed"),
        (("--modbus-port", "70000"), "Invalid value for --modbus-port: 70000 is not a port"),
    ],
)
def test_a_wrong_option_is_told_with_its_name_and_a_remedy(options: tuple[str, ...], words: str) -> None:
    assert words in refused("run", *options)


def test_a_ledger_that_cannot_be_written_is_told() -> None:
    options = (
        "--modbus-port",
        "0",
        "--bacnet-port",
        "0",
        "--control-port",
        "0",
        "--sites",
        "office",
        "--ledger",
        "/proc/nothing",
    )
    assert "--ledger: /proc/nothing cannot be written" in failed("run", *options)


def test_a_wrong_log_level_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_LOG_LEVEL", "LOUD")
    assert "'LOUD' is no level; write DEBUG, INFO" in refused("run")


def test_the_sites_are_printed() -> None:
    lines = CliRunner().invoke(app, ["sites"]).output.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["factory", "office", "solar_farm", "warehouse"]
    assert "America/Chicago" in lines[4]
    assert "5023" in lines[4]
