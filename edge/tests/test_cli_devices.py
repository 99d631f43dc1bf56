"""read, write and probe, against a device on a real socket."""

from __future__ import annotations

import fcntl
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from edge_support.bench import ems_edge, typed
from edge_support.devices import Endpoint, Unit, endpoint, meter
from edge_support.edge_process import standalone
from edge_support.waiting import free_port
from ems_contract.provisioning import RedisAccess

ACCESS = RedisAccess("redis://127.0.0.1:1/0", "edge_1", "a-password-nobody-sees")
BATTERY = 2


def battery() -> Unit:
    """A unit with the registers of profile stl_battery."""
    unit = Unit()
    for address in range(20):
        unit.holding[address] = 0
    unit.holding |= {2: 615, 3: 984, 4: 7330, 7: 3}
    return unit


@pytest.fixture
async def served() -> AsyncIterator[Endpoint]:
    async with endpoint({1: meter(), BATTERY: battery()}) as found:
        yield found


def at(served: Endpoint, unit: int) -> list[str]:
    return ["host=127.0.0.1", f"port={served.port}", f"unit={unit}"]


def config(folder: Path, port: int) -> Path:
    """A bootstrap file with two meters' worth of devices: m (unit 1) and battery (unit 2)."""
    file = standalone(folder, ACCESS, port, 1.0, {"m": 1, "battery": BATTERY})
    data = yaml.safe_load(file.read_text())
    data["config"]["devices"][1]["profile"] = "stl_battery"
    data["config"]["setpoints"] = [{"point": "battery.power_setpoint", "minimum": -2000, "maximum": 2000}]
    file.write_text(yaml.safe_dump(data))
    return file


async def test_read_shows_each_point_with_unit_and_quality(served: Endpoint) -> None:
    said = await ems_edge("read", "stl_battery", *at(served, BATTERY))
    assert said.code == 0
    assert ["state_of_charge", "61.5", "%", "good"] in said.rows
    assert ["status", "3", "discharging", "good"] in said.rows
    assert "\x1b" not in said.out


async def test_read_takes_a_bootstrap_file_and_some_of_its_devices_and_points(served: Endpoint, tmp_path: Path) -> None:
    file = config(tmp_path, served.port)
    said = await ems_edge("read", file, "m.active_power", "battery", "--json")
    rows = json.loads(said.out)
    assert [row["point"] for row in rows if row["device"] == "m"] == ["active_power"]
    assert {"device": "battery", "point": "voltage", "value": 733.0, "unit": "V", "quality": "good"} in rows
    assert ACCESS.password not in said.out + said.err


async def test_a_device_that_does_not_answer_is_exit_code_1_and_every_point_has_its_reason() -> None:
    said = await ems_edge("read", "stl_battery", "voltage", "host=127.0.0.1", f"port={free_port()}", "timeout=0.3")
    assert said.code == 1
    assert said.rows == [["voltage", "-", "V", "bad:", "connection_lost"]]
    assert "no good value from stl_battery (connection_lost); check address, unit and wiring" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["stl_batery", "host=x"], "stl_batery: is neither a file nor a profile; did you mean 'stl_battery'?"),
        (["stl_battery", "host=x", "port=abc"], "connection: port: expected int, got str; 'abc' stands there"),
        (["stl_battery", "host=x", "unti=3"], "connection: unti: there is no such field; did you mean 'unit'?"),
        (["stl_battery", "volts", "host=x"], "stl_battery: there is no point 'volts'; did you mean 'voltage'?"),
        (["stl_battery", "host=@/no/such/file"], "connection: host: /no/such/file cannot be read (FileNotFoundError)"),
        (["no/such.yaml"], "no/such.yaml: cannot be read"),
    ],
)
@pytest.mark.parametrize("command", ["read", "probe"])
async def test_what_is_typed_wrong_is_exit_code_2_with_a_remedy(command: str, words: list[str], told: str) -> None:
    said = await ems_edge(command, *words, *([] if command == "read" or len(words) > 1 else ["x"]))
    assert said.code == 2
    assert told in said.err


async def test_write_asks_writes_and_reads_back(served: Endpoint) -> None:
    words = ["write", "stl_battery", "power_setpoint", "-1500", *at(served, BATTERY)]
    said = await ems_edge(*words, answer="n\n")
    assert said.code == 1
    assert "Write -1500 W to stl_battery.power_setpoint (now 0 W)" in said.out
    assert served.units[BATTERY].holding[18] == 0
    said = await ems_edge(*words, answer="y\n")
    assert said.code == 0
    assert "power_setpoint reads back -1500 W" in said.out
    assert [served.units[BATTERY].holding[at] for at in (18, 19)] == [0x10000 - 1500, 0xFFFF]


async def test_where_nobody_can_be_asked_nothing_is_written(served: Endpoint) -> None:
    said = await ems_edge("write", "stl_battery", "power_setpoint", "5", *at(served, BATTERY))
    assert said.code == 1
    assert "add --yes" in said.err


async def test_write_says_when_the_device_does_not_hold_the_value(served: Endpoint) -> None:
    served.units[BATTERY].deaf = True
    said = await ems_edge("write", "stl_battery", "power_setpoint", "700", "--yes", "--json", *at(served, BATTERY))
    assert said.code == 1
    assert json.loads(said.out) == {
        "point": "power_setpoint",
        "written": 700.0,
        "read_back": 0.0,
        "unit": "W",
        "verified": False,
    }


@pytest.mark.parametrize(
    ("point", "value", "told"),
    [
        ("battery.power_setpoint", "2500", "2500 is outside its limits; give -2000 to 2000 W"),
        ("battery.power_setpoint", "nan", "'nan' is no value; give a number in W"),
        ("battery.power_setpoint", "inf", "'inf' is no value; give a number in W"),
        ("battery.power_setpoint", "much", "'much' is no value; give a number in W"),
        ("battery.voltage", "5", "can only be read; its writable points are power_setpoint"),
        ("m.voltage_l1", "5", "can only be read; this device has no writable point"),
        ("battery", "5", "is a device; name a point: 'power_setpoint'"),
    ],
)
async def test_what_must_not_be_written_is_refused(
    served: Endpoint, tmp_path: Path, point: str, value: str, told: str
) -> None:
    said = await ems_edge("write", config(tmp_path, served.port), point, value, "--yes")
    assert said.code == 2
    assert told in said.err
    assert not served.answered


@pytest.mark.parametrize(
    ("limits", "value", "told"),
    [("minimum: 0", "-1", "give 0 or more W"), ("maximum: 5", "6", "give at most 5 W")],
)
def test_a_limit_on_one_side_is_told_as_such(tmp_path: Path, limits: str, value: str, told: str) -> None:
    file = tmp_path / "valve.yaml"
    point = f"{{key: power, name: Power, unit: W, address: 0, type: int16, writable: true, {limits}}}"
    file.write_text(f"profile: valve\nname: Valve\ndriver: modbus\npoints:\n  - {point}\n")
    said = typed("write", file, "--", "power", value, "host=127.0.0.1")
    assert said.code == 2
    assert f"{value} is outside its limits; {told}" in said.err


async def test_nothing_is_written_past_an_edge_that_runs(served: Endpoint, tmp_path: Path) -> None:
    file = config(tmp_path, served.port)
    words = ("write", file, "battery.power_setpoint", "100", "--yes")
    (tmp_path / "store").mkdir()
    with (tmp_path / "store" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = await ems_edge(*words)
    assert said.code == 1
    assert "send it a command in the browser, or stop it first" in said.err
    assert (await ems_edge(*words)).code == 0


async def test_probe_shows_a_range_with_what_it_looks_like(served: Endpoint) -> None:
    served.units[1].put(18, "f", 50.02)
    said = await ems_edge("probe", "holding", "0-60", *at(served, 1))
    assert said.code == 0
    assert "float32 230 looks like a phase voltage (V)" in said.out
    assert "float32 50.02 looks like a grid frequency (Hz)" in said.out
    assert "mostly float32 (word_order: big, byte_order: big)" in said.out
    assert "31 registers are refused (device_exception)" in said.err


async def test_probe_of_two_registers_shows_every_way_to_read_them(served: Endpoint) -> None:
    said = await ems_edge("probe", "holding", "0-1", *at(served, 1))
    ways = [line.removeprefix("from 0 on: ") for line in said.out.splitlines() if line.startswith("from 0 on: ")]
    assert "float32 230 looks like a phase voltage (V)" in ways
    assert {"uint16 17254", "int16 17254", "uint32 little-word 17254"} <= set(ways)


async def test_probe_holds_a_profile_against_the_device(served: Endpoint, tmp_path: Path) -> None:
    """Its words, its value, and what the profile should say instead."""
    wrong = tmp_path / "wrong_meter.yaml"
    wrong.write_text(
        "profile: wrong_meter\nname: Wrong\ndriver: modbus\nword_order: little\npoints:\n"
        "  - {key: voltage_l1, name: Voltage, unit: V, address: 0, type: float32}\n"
        "  - {key: active_power, name: Power, unit: W, address: 12, type: float32, word_order: big}\n"
    )
    said = await ems_edge("probe", wrong, "--json", *at(served, 1))
    voltage, power = json.loads(said.out)["points"]
    assert voltage["raw"] == [0x4366, 0x0000]
    assert voltage["plausible"] is False
    assert "word_order: big would give 230" in voltage["verdict"]
    assert (power["value"], power["verdict"]) == (1500.0, "ok")


async def test_probe_finds_a_list_that_counts_from_1(served: Endpoint, tmp_path: Path) -> None:
    shifted = tmp_path / "shifted.yaml"
    points = [
        f"  - {{key: voltage_l{phase}, name: V, unit: V, address: {2 * phase - 1}, type: float32}}\n"
        for phase in (1, 2, 3)
    ]
    shifted.write_text("profile: shifted\nname: Shifted\ndriver: modbus\npoints:\n" + "".join(points))
    said = await ems_edge("probe", shifted, *at(served, 1))
    assert said.code == 0
    assert "with every address one lower (is the list 1-based?), 3 of 3 values are plausible" in said.out


async def test_probe_of_a_silent_place_is_exit_code_1(served: Endpoint) -> None:
    served.units[1].silent = True
    said = await ems_edge("probe", "holding", "0-9", *at(served, 1), "timeout=0.2")
    assert said.code == 1
    assert "no holding register from 0 to 9: timeout" in said.err
