"""A whole edge process with an MQTT device: from the broker into Redis, without waiting for a poll."""

from __future__ import annotations

from pathlib import Path

import yaml
from edge_support.broker import PASSWORD, USER, Broker
from edge_support.edge_process import EdgeProcess
from edge_support.line import latest
from edge_support.redis_process import RedisProcess
from edge_support.waiting import until
from ems_contract import keys


def bootstrap(folder: Path, redis: RedisProcess, broker: Broker) -> Path:
    access = redis.edge_user()
    where = {"host": "127.0.0.1", "port": broker.port, "username": USER, "password": PASSWORD, "id": "plug_1"}
    device = {"key": "plug", "name": "Plug", "driver": "mqtt", "profile": "tasmota_energy", "connection": where}
    data = {
        "store": "store",
        "site": "site_1",
        "edge": "edge_1",
        "redis": {"url": access.url, "username": access.username, "password": access.password},
        "config": {"revision": "1", "poll_interval": 3600, "devices": [device]},
    }
    file = folder / "edge.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return file


async def test_what_is_published_is_in_redis_at_once(tmp_path: Path, redis_server: RedisProcess) -> None:
    broker = Broker(tmp_path / "broker", secured=True)
    edge = EdgeProcess(bootstrap(tmp_path, redis_server, broker))
    try:
        await edge.start()
        await until(lambda: b"connected to the broker" in edge.log, "the broker", 20)
        await broker.say("tele/plug_1/SENSOR", '{"ENERGY":{"Power":52,"Total":3.185}}', user=USER, password=PASSWORD)

        def shown() -> dict[str, float | None]:
            there = redis_server.admin.hexists(keys.telemetry_latest(1), "edge_1")
            return (
                {key: value for one in latest(redis_server).readings for key, value in one.values.items()}
                if there
                else {}
            )

        await until(lambda: shown().get("plug.active_power") == 52.0, "the power")
        assert shown()["plug.energy_import"] == 3185.0
        broker.kill()
        await until(lambda: shown().get("plug.active_power") is None, "the loss")
    finally:
        broker.kill()
        await edge.terminate()
    assert PASSWORD.encode() not in edge.log
