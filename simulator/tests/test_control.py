"""The control API over a real HTTP connection, beside a real Modbus client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from ems_simulator.clock import wall_ms
from ems_simulator.control import control_app
from ems_simulator.modbus import listen
from ems_simulator.registers import register_map
from ems_simulator.service import ControlServer

from .bench import Bench, unpack, until

POWER = "/sites/factory/devices/grid_meter/points/active_power"
FAULTS = "/sites/factory/faults"


@pytest.fixture
async def api(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    bound = listen("127.0.0.1", 0)
    server = ControlServer(uvicorn.Config(control_app({"factory": bench.runtime}), log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bound.getsockname()[1]}") as client:
            yield client
    finally:
        server.should_exit = True
        await serving
        bound.close()


async def power(bench: Bench) -> float:
    async with bench.client() as client:
        answer = await client.read_holding_registers(0, count=30, device_id=1)
        return unpack(client, register_map("stl_meter").points["active_power"], list(answer.registers), "big")


async def test_a_pin_is_read_until_it_is_let_go_and_its_first_answer_is_timed(
    bench: Bench, api: httpx.AsyncClient
) -> None:
    true = (await api.get(POWER)).json()
    assert true == {"value": await power(bench), "first_answer": None, "pinned": False}
    assert (await api.put(POWER, json={"value": 4321.5})).json()["value"] == 4321.5
    assert (await api.get(POWER)).json() == {"value": 4321.5, "first_answer": None, "pinned": True}
    async with bench.client() as client:
        await client.read_holding_registers(0, count=12, device_id=1)  # does not cover it
        assert (await api.get(POWER)).json()["first_answer"] is None
    before = wall_ms()
    assert await power(bench) == 4321.5
    after = wall_ms()
    first = (await api.get(POWER)).json()["first_answer"]
    assert before <= first <= after
    assert await power(bench) == 4321.5
    assert (await api.get(POWER)).json()["first_answer"] == first
    assert (await api.put(POWER, json={"value": 1})).json()["first_answer"] is None
    assert (await api.delete(POWER)).status_code == 204
    assert await power(bench) == true["value"]


async def test_a_pin_shows_the_value_that_its_register_can_carry(api: httpx.AsyncClient) -> None:
    voltage = "/sites/factory/devices/battery/points/voltage"
    assert (await api.put(voltage, json={"value": 701.234})).json()["value"] == 701.2


async def test_a_pin_of_null_makes_the_device_say_no_value(bench: Bench, api: httpx.AsyncClient) -> None:
    irradiance = "/sites/factory/devices/pv_inverter/points/irradiance"
    assert (await api.put(irradiance, json={"value": None})).json()["value"] is None
    async with bench.client() as client:
        assert (await client.read_holding_registers(12, count=1, device_id=2)).registers == [0xFFFF]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/sites/castle/devices/hvac/points/status", {"value": 1}, 404, "there is no site 'castle'; choose from"),
        ("/sites/factory/devices/boiler/points/status", {"value": 1}, 404, "factory has no device 'boiler'; choose"),
        ("/sites/factory/devices/hvac/points/colour", {"value": 1}, 404, "hvac has no point 'colour'; choose from"),
        ("/sites/factory/devices/hvac/points/reads", {"value": 1}, 422, "reads counts the answers"),
        ("/sites/factory/devices/hvac/points/status", {"value": 70_000}, 422, "does not fit uint16"),
        ("/sites/factory/devices/hvac/points/status", {"value": None}, 422, "no sentinel"),
        ("/sites/factory/devices/hvac/points/status", {"value": "hot"}, 422, "Expected `float | null`, got `str`"),
        ("/sites/factory/devices/hvac/points/status", {"walue": 1}, 422, "unknown field `walue`"),
        ("/sites/factory/devices/hvac/points/status", "x" * 20_000, 413, "at most 10000 bytes"),
    ],
)
async def test_a_pin_that_is_not_possible_is_refused_in_words(
    api: httpx.AsyncClient, path: str, body: Any, status: int, words: str
) -> None:
    answer = await api.put(path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


async def test_faults_are_started_listed_and_cleared(bench: Bench, api: httpx.AsyncClient) -> None:
    started = await api.post(FAULTS, json={"device": "hvac", "kind": "exception", "code": 6, "seconds": 60})
    assert started.status_code == 201
    lasting = (await api.post(FAULTS, json={"device": None, "kind": "slow_answer", "delay": 0, "seconds": None})).json()
    listed = (await api.get(FAULTS)).json()
    assert [(fault["id"], fault["kind"], fault["device"]) for fault in listed] == [
        (started.json()["id"], "exception", "hvac"),
        (lasting["id"], "slow_answer", None),
    ]
    async with bench.client() as client:
        assert (await client.read_input_registers(0, count=1, device_id=5)).exception_code == 6
        assert (await api.delete(f"{FAULTS}/{started.json()['id']}")).json() == {"cleared": 1}
        assert not (await client.read_input_registers(0, count=1, device_id=5)).isError()
    assert (await api.delete(f"{FAULTS}/fault_99")).status_code == 404
    assert (await api.delete(FAULTS)).json() == {"cleared": 1}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "fire"}, "kind"),
        ({}, "kind"),
        ({"kind": "stuck", "device": "boiler"}, "device"),
        ({"kind": "stuck", "seconds": -1}, "seconds"),
        ({"kind": "slow_answer", "delay": 1e9}, "delay"),
        ({"kind": "exception", "code": 99}, "code"),
        ({"kind": "garbage", "style": "poem"}, "style"),
        ({"kind": "stuck", "second": 3}, "second"),
    ],
)
async def test_a_fault_that_is_not_possible_is_refused_with_its_field(
    api: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await api.post(FAULTS, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_what_is_not_json_is_told(api: httpx.AsyncClient) -> None:
    answer = await api.post(FAULTS, content=b"\xff{")
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["detail"]


async def test_a_link_is_cut_and_restored_through_the_api(bench: Bench, api: httpx.AsyncClient) -> None:
    await api.post(FAULTS, json={"kind": "link_cut"})
    assert not bench.runtime.modbus.listening
    assert (await api.get("/readyz")).status_code == 200  # it was asked for
    await api.delete(FAULTS)
    await until(lambda: bench.runtime.modbus.listening)


async def test_the_sites_and_their_ports_are_listed(bench: Bench, api: httpx.AsyncClient) -> None:
    (listed,) = (await api.get("/sites")).json()
    assert listed["key"] == "factory"
    assert listed["modbus_port"] == bench.runtime.modbus.port
    assert listed["bacnet_port"] is None
    assert listed["devices"][4] == {"key": "hvac", "unit": 5, "profile": "stl_hvac", "protocol": "modbus"}


async def test_readiness_names_the_site_that_is_not_ready(bench: Bench, api: httpx.AsyncClient) -> None:
    assert (await api.get("/healthz")).status_code == 200
    assert (await api.get("/readyz")).status_code == 200
    bench.runtime.modbus.cut()
    answer = await api.get("/readyz")
    assert answer.status_code == 503
    assert "is not open" in answer.json()["not_ready"]["factory"]
    assert (await api.get("/healthz")).status_code == 200


async def test_a_request_id_is_echoed_or_made(api: httpx.AsyncClient) -> None:
    assert (await api.get("/healthz", headers={"X-Request-ID": "abc-1"})).headers["x-request-id"] == "abc-1"
    assert len((await api.get("/nowhere")).headers["x-request-id"]) == 36
