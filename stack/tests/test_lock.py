"""The locks: complete, with hashes, and the same on every machine."""

from __future__ import annotations

import re
import subprocess

from ems_stack import lock
from ems_stack.paths import REPOSITORY


def test_the_committed_locks_are_in_order() -> None:
    assert lock.problems() == []


def test_every_pin_has_hashes() -> None:
    for path in (REPOSITORY / "requirements").glob("*.txt"):
        pins = re.split(r"(?m)^(?=[A-Za-z0-9])", path.read_text())[1:]
        assert pins
        assert all("--hash=sha256:" in pin for pin in pins), path.name


def test_images_have_the_versions_of_the_developers_lock() -> None:
    everything = lock._pins(lock.lock_file("dev"))
    for name in lock.IMAGES:
        pins = lock._pins(lock.lock_file(name))
        assert {package: everything.get(package) for package in pins} == pins


def test_the_set_up_script_is_plain_shell() -> None:
    subprocess.run(["sh", "-n", REPOSITORY / "stack" / "setup.sh"], check=True)
