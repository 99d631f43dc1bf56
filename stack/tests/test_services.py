"""The table of services: what runs, and with which environment."""

from __future__ import annotations

from pathlib import Path

from ems_stack.options import StackOptions
from ems_stack.ports import Ports
from ems_stack.services import Table
from ems_stack.state import Secrets, State

SECRETS = Secrets(postgres="p", redis={}, django="d")


def table(place: Path, **environment: str) -> Table:
    options = StackOptions(
        database_url="postgresql://ems@db/ems", redis_url="redis://cache:6379/0", environment=environment
    )
    return Table(options, Ports(), State(place), SECRETS, None, None)


def test_the_worker_runs_wherever_the_backend_does() -> None:
    assert StackOptions(services=frozenset({"backend"})).runs("worker")
    assert not StackOptions(services=frozenset({"realtime"})).runs("worker")


def test_the_worker_works_on_the_backends_data_and_tells_its_health_on_its_own_port(tmp_path: Path) -> None:
    services = table(tmp_path)
    worker, backend = services.worker(), services.backend()
    assert worker.environment["EMS_DATABASE_URL"] == backend.environment["EMS_DATABASE_URL"]
    assert worker.environment["EMS_REDIS_URL"] == backend.environment["EMS_REDIS_URL"]
    assert worker.health_url == f"{services.url('worker')}/readyz" == "http://127.0.0.1:8003/readyz"


def test_further_variables_reach_every_service(tmp_path: Path) -> None:
    services = table(tmp_path, EMS_WS_MAX_SITES="3")
    for service in (services.realtime(), services.worker(), services.historian(), services.simulator()):
        assert service.environment["EMS_WS_MAX_SITES"] == "3"
