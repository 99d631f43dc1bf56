"""`make dev`: a service starts again when its source changes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from ems_stack.processes import wait_until


def test_a_change_of_a_source_restarts_the_command_and_sigterm_ends_both(tmp_path: Path) -> None:
    source, output = tmp_path / "src", tmp_path / "output"
    source.mkdir()
    program = f"import time; open({str(output)!r}, 'a').write('up\\n'); time.sleep(600)"
    command = [sys.executable, "-m", "ems_stack.reload", "--watch", str(source), "--", sys.executable, "-c", program]

    def ups() -> int:
        return output.read_text().count("up") if output.exists() else 0

    with subprocess.Popen(command) as process:
        assert wait_until(lambda: ups() == 1, 10)

        def changed() -> bool:  # written again and again: the watch begins at a moment we cannot see
            (source / "module.py").write_text(f"{ups()}")
            return ups() >= 2

        assert wait_until(changed, 20, pause=0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_other_files_do_not_restart_anything() -> None:
    from ems_stack.reload import Sources
    from watchfiles import Change

    judge = Sources()
    assert judge(Change.modified, "/room/src/poller.py")
    assert judge(Change.modified, "/room/src/profiles/meter.yaml")
    assert not judge(Change.modified, "/room/src/poller.pyc")
    assert not judge(Change.modified, "/room/tests/test_poller.py")
    assert not judge(Change.modified, "/room/src/__pycache__/poller.py")
