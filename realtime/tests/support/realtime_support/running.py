"""The service as it runs in production, on a thread of the test's process."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
from ems_realtime.main import create_server
from ems_realtime.metrics import Metrics
from ems_realtime.settings import Settings
from prometheus_client.parser import text_string_to_metric_families

from realtime_support.backend import Backend
from realtime_support.redis_process import RedisProcess

ORIGIN = "http://localhost:3000"
QUICK = {"drain": 0.0}
"""Bounds that a test seldom wants to wait for."""


def make_settings(redis: RedisProcess, backend: Backend, **changes: Any) -> Settings:
    urls = {"redis_url": redis.url, "backend_url": backend.url, "origins": frozenset({ORIGIN})}
    return Settings(**{**urls, **QUICK, **changes})


class Running:
    def __init__(self, settings: Settings) -> None:
        self._server = create_server(settings, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.run, name="service")
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert self._thread.is_alive(), "the service did not start"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/ws"
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False)

    @property
    def service(self) -> Any:
        return self._server.config.app.service  # type: ignore[union-attr]

    @property
    def metrics(self) -> Metrics:
        metrics: Metrics = self.service.metrics
        return metrics

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._http.get(path, headers=headers)

    def metric(self, name: str, **labels: str) -> float:
        """As Prometheus reads it; `name` is a sample's, without `ems_realtime_`."""
        wanted = f"ems_realtime_{name}"
        for family in text_string_to_metric_families(self.get("/metrics").text):
            for sample in family.samples:
                if sample.name == wanted and sample.labels == labels:
                    return float(sample.value)
        raise LookupError(f"there is no {wanted} with {labels}")

    @property
    def ready(self) -> bool:
        return self.get("/readyz").status_code == 200

    def stop(self) -> None:
        self._http.close()
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive(), "the service did not stop"
