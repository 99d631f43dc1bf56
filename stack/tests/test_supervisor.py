"""The supervisor, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from ems_stack.processes import ProcessIdentity, Service, wait_until
from ems_stack.supervisor import Backoff, ServiceState, StartError, Supervisor, end_leftovers

FOREVER = "import time\nprint('up', flush=True)\nwhile True: time.sleep(1)\n"
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\n" + FOREVER
Program = Callable[..., Service]


def pid(supervisor: Supervisor, name: str) -> int | None:
    return next(one.pid for one in supervisor.status() if one.name == name)


def restarts(supervisor: Supervisor, name: str) -> int:
    return next(one.restarts for one in supervisor.status() if one.name == name)


def test_a_service_that_ends_is_started_again(supervisor: Supervisor, program: Program) -> None:
    supervisor.add(program("clock", FOREVER))
    supervisor.start("clock")
    first = pid(supervisor, "clock")
    supervisor.kill("clock", revive=True)
    assert wait_until(lambda: pid(supervisor, "clock") not in {None, first}, 5)
    assert restarts(supervisor, "clock") == 1


def test_a_service_that_was_killed_on_purpose_stays_down(supervisor: Supervisor, program: Program) -> None:
    supervisor.add(program("clock", FOREVER))
    supervisor.start("clock")
    supervisor.kill("clock")
    assert supervisor.status()[0].state is ServiceState.DOWN
    supervisor.start("clock")
    assert supervisor.status()[0].state is ServiceState.UP


def test_restarts_wait_longer_and_longer_and_forgive() -> None:
    backoff = Backoff(first=0.5, longest=30)
    assert [backoff.wait(crashes) for crashes in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert backoff.wait(50) == 30


def test_a_service_that_keeps_ending_is_reported_with_its_last_words(supervisor: Supervisor, program: Program) -> None:
    supervisor.add(program("broken", "raise SystemExit('port 5020 is on fire')", ready=lambda: False))
    with pytest.raises(StartError, match=r"(?s)broken keeps ending.*port 5020 is on fire"):
        supervisor.start("broken")


def test_a_service_that_never_serves_is_given_up(supervisor: Supervisor, program: Program) -> None:
    supervisor.add(program("deaf", FOREVER, ready=lambda: False, start_seconds=0.3))
    with pytest.raises(StartError, match="not ready within"):
        supervisor.start("deaf")


def test_a_program_that_is_not_there_is_an_error_and_not_a_loop(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.add(Service(name="ghost", command=[str(tmp_path / "nothing")], cwd=tmp_path))
    with pytest.raises(StartError, match="ghost cannot be started"):
        supervisor.start("ghost")
    assert supervisor.status()[0].state is ServiceState.DOWN


def test_what_does_not_stop_is_killed(supervisor: Supervisor, program: Program) -> None:
    service = program("stubborn", STUBBORN, stop_seconds=0.3)
    supervisor.add(service)
    log = supervisor.log_file("stubborn")
    supervisor.start("stubborn")
    assert wait_until(lambda: log.read_text().count("up") > 0, 10)
    assert supervisor.stop("stubborn") is False


def test_a_paused_service_can_be_stopped(supervisor: Supervisor, program: Program) -> None:
    supervisor.add(program("clock", FOREVER))
    supervisor.start("clock")
    process = psutil.Process(pid(supervisor, "clock"))
    supervisor.pause("clock")
    assert wait_until(lambda: process.status() == psutil.STATUS_STOPPED, 5)
    assert supervisor.stop("clock") is True


def test_children_of_a_service_go_with_it(supervisor: Supervisor, program: Program, tmp_path: Path) -> None:
    source = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('child', 'w').write(str(child.pid))\ntime.sleep(600)\n"
    )
    supervisor.add(program("parent", source, ready=(tmp_path / "child").exists))
    supervisor.start("parent")
    assert wait_until(lambda: (tmp_path / "child").read_text() != "", 5)
    child = int((tmp_path / "child").read_text())
    supervisor.kill("parent")
    assert wait_until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie", 5)


def test_a_later_supervisor_ends_what_a_killed_one_left(
    supervisor: Supervisor, program: Program, tmp_path: Path
) -> None:
    supervisor.add(program("clock", FOREVER))
    supervisor.start("clock")
    process = psutil.Process(pid(supervisor, "clock"))
    remembered = tmp_path / "remembered.json"
    remembered.write_bytes((tmp_path / "processes.json").read_bytes())
    supervisor._entries["clock"].wanted = False
    assert end_leftovers(remembered) == ["clock"]
    assert wait_until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, 5)
    assert end_leftovers(remembered) == []


def test_a_stranger_that_got_the_same_process_id_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        real = ProcessIdentity.of(stranger.pid)
        assert real.find() is not None
        assert ProcessIdentity(stranger.pid, real.created - 3600).find() is None
        stranger.kill()


def test_logs_are_private_to_the_stack_and_appended(supervisor: Supervisor, program: Program) -> None:
    supervisor.add(program("talker", "import sys; print('hello'); sys.stdout.flush(); import time; time.sleep(600)"))
    supervisor.start("talker")
    log = supervisor.log_file("talker")
    assert wait_until(lambda: log.read_text().count("hello") == 1, 5)
    supervisor.restart("talker")
    assert wait_until(lambda: log.read_text().count("hello") == 2, 5)


def test_unknown_names_are_refused_with_the_known_ones(supervisor: Supervisor, program: Program) -> None:
    supervisor.add(program("clock", FOREVER))
    with pytest.raises(ValueError, match="no service 'clok'; known are clock"):
        supervisor.start("clok")


def test_services_do_not_inherit_our_variables(
    supervisor: Supervisor, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMS_DATABASE_URL", "postgresql://somewhere-else/x")
    source = "import os, time; print(sorted(k for k in os.environ if k[:4] == 'EMS_'), flush=True); time.sleep(600)"
    supervisor.add(program("env", source, environment={"EMS_LOG_LEVEL": "INFO"}))
    supervisor.start("env")
    assert wait_until(lambda: "['EMS_LOG_LEVEL']" in supervisor.log_file("env").read_text(), 5)
    assert os.environ["EMS_DATABASE_URL"]


def test_a_service_learns_of_its_end_by_its_own_signal(supervisor: Supervisor, program: Program) -> None:
    source = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('goodbye', flush=True), sys.exit(0)))\n"
        "print('up', flush=True)\ntime.sleep(600)\n"
    )
    supervisor.add(program("polite", source, stop_signal=signal.SIGINT))
    supervisor.start("polite")
    log = supervisor.log_file("polite")
    assert wait_until(lambda: "up" in log.read_text(), 5)
    assert supervisor.stop("polite") is True
    assert "goodbye" in log.read_text()
