"""Every operation x every actor x every target, and what a caller might smuggle in: asked, and counted.

Each cell is undone before the next, so the cells run inside the backend, on a PostgreSQL and a Redis of their own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from ems_stack.paths import BACKEND

from ems_prove.experiment import Outcome
from ems_prove.lab import Lab

TESTS = ("testing/tests/test_matrix.py", "testing/tests/test_hostile_requests.py")
WRONG = ("mismatches", "told_apart", "undescribed_answers", "not_refused_by_name", "that_did_something")


def measure(_: Lab) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="ems-matrix-") as place:
        report = Path(place) / "report.xml"
        services = (sys.executable, "-m", "ems_stack", "services", "--")
        pytest = (sys.executable, "-m", "pytest", "-q", "-o", "junit_family=xunit1", f"--junit-xml={report}", *TESTS)
        done = subprocess.run([*services, *pytest], cwd=BACKEND, capture_output=True, text=True, check=False)
        if not report.exists():
            raise RuntimeError(f"the tests did not run:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        counted = figures(report)
    asked = {name: number for name, number in counted.items() if name not in WRONG}
    wrong = sum(counted.get(name, 0) for name in WRONG)
    return Outcome(
        ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in asked.items()) + f", {wrong} mismatches",
        "each cell of the table as it says, foreign and nonexistent alike",
        done.returncode == 0 and wrong == 0 and counted.get("cells", 0) > 0,
    )


def figures(report: Path) -> dict[str, int]:
    """What the tests counted, summed over the tests, in their order."""
    counted: dict[str, int] = {}
    for entry in ET.parse(report).iter("property"):  # noqa: S314 - written by our own tests a moment ago
        name = entry.get("name", "")
        counted[name] = counted.get(name, 0) + int(entry.get("value", "0"))
    return counted
