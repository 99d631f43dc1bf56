"""`services -- CMD`: both servers for one command, and nothing left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from ems_stack import leftovers
from ems_stack.processes import wait_until

SERVICES = [sys.executable, "-m", "ems_stack", "services", "--", sys.executable, "-c"]
BOTH = """
import os, psycopg, redis
assert os.environ["EMS_TEST_DATABASE_URL"] == os.environ["EMS_DATABASE_URL"]
with psycopg.connect(os.environ["EMS_TEST_DATABASE_URL"]) as connection:
    assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)
client = redis.Redis.from_url(os.environ["EMS_TEST_REDIS_URL"])
client.flushall()
raise SystemExit(7)
"""


def test_a_command_finds_both_servers_and_its_exit_code_comes_back() -> None:
    assert subprocess.run([*SERVICES, BOTH], check=False).returncode == 7


def test_what_is_printed_is_only_what_the_command_prints() -> None:
    done = subprocess.run([*SERVICES, "print('only this')"], check=True, capture_output=True, text=True)
    assert done.stdout == "only this\n"


def test_sigterm_reaches_the_command_and_nothing_is_left() -> None:
    say = "import os, time; print(os.environ['EMS_TEST_DATABASE_URL'].split('host=')[1], flush=True); time.sleep(600)"
    with subprocess.Popen([*SERVICES, say], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        sockets = Path(process.stdout.readline().strip())
        assert sockets.exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    assert not sockets.parents[1].exists()


def test_what_a_killed_run_left_is_swept_up_by_the_next() -> None:
    say = "import os, time; print(os.environ['EMS_TEST_DATABASE_URL'].split('host=')[1], flush=True); time.sleep(600)"
    with subprocess.Popen([*SERVICES, say], stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        place = Path(process.stdout.readline().strip()).parents[1]
        os.killpg(process.pid, signal.SIGKILL)
    assert place.parent == Path(tempfile.gettempdir())
    assert place in leftovers.sweep("ems-services-")
    assert wait_until(lambda: not place.exists(), 5)
