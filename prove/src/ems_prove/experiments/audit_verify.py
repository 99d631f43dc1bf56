"""A million events, sealed and verified; then one is altered directly in the database, as its administrator could."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import psycopg
from ems_stack.manage import manage
from ems_stack.paths import BACKEND
from ems_stack.processes import inherited_environment
from ems_stack.stack import Stack

from ems_prove.experiment import Outcome
from ems_prove.lab import Lab

ROWS = 1_000_000
ORGANIZATION = 900_000_000
"""Of nobody; the events stay in the lab's database."""
RATE = 50_000

_FILL = """
INSERT INTO audit_auditevent (
    at, action, outcome, actor, organization_id, site_id, target, target_id, address, request_id, before, after,
    details, persons
) SELECT now(), 'site.changed', 'done', 'command prove', %s, n %% 100, 'row ' || n, n, '192.0.2.7', md5(n::text),
    '{"name": "Factory", "operators_may_control": false}', '{"name": "Works", "operators_may_control": true}',
    '{}', '{}'
FROM generate_series(1, %s) n
"""
_SAID = re.compile(r"([\d,]+) events in .*: ([\d,]+) findings \(([\d.]+) s, ([\d,]+) rows/s\)")


@dataclass(frozen=True)
class Said:
    """What `verify_audit` printed, read. `rate` in rows per second."""

    rows: int
    findings: int
    rate: int
    text: str


@dataclass(frozen=True)
class Result:
    """`named`: the altered event, and nothing else."""

    clean: Said
    named: bool


def measure(lab: Lab) -> Outcome:
    result = verify(lab.stack, ROWS)
    clean = result.clean
    return Outcome(
        f"{clean.rows:,} events verified at {clean.rate:,} rows/s, {clean.findings} findings; "
        f"then one altered in the database: {'named' if result.named else 'NOT named'}",
        f"over {RATE:,} rows/s, nothing found, then exactly that one",
        clean.rows >= ROWS and clean.findings == 0 and clean.rate > RATE and result.named,
    )


def verify(stack: Stack, rows: int) -> Result:
    """Leaves the events there, as they were. The stack's own sealer may take part."""
    environment = stack.table.django()
    with stack.database() as database:
        database.autocommit = True
        database.execute(_FILL, (ORGANIZATION, rows))
        manage(environment, "seal_audit")
        database.execute("ANALYZE audit_auditevent, audit_seal")  # what autovacuum does in a while
        clean = _verify(environment)
        found = database.execute("SELECT max(id) FROM audit_auditevent WHERE organization_id = %s", (ORGANIZATION,))
        event = int(str((found.fetchone() or [0])[0])) - rows // 2
        _alter(database, event, "target || ' (forged)'")
        forged = _verify(environment)
        _alter(database, event, "replace(target, ' (forged)', '')")
    return Result(clean, forged.findings == 1 and f"altered: event {event}," in forged.text)


def _alter(database: psycopg.Connection[Any], event: int, target: str) -> None:
    """As an administrator of the database: the guard is off for one statement."""
    with database.transaction():
        database.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        database.execute(f"UPDATE audit_auditevent SET target = {target} WHERE id = %s", (event,))  # noqa: S608
        database.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")


def _verify(environment: dict[str, str]) -> Said:
    """It ends with 1 when it has found something, so `manage` would take that for a failure."""
    done = subprocess.run(
        [sys.executable, "manage.py", "verify_audit", "--organization", str(ORGANIZATION)],
        cwd=BACKEND,
        env={**inherited_environment(), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    said = _SAID.search(done.stdout)
    if said is None:
        raise RuntimeError(f"verify_audit said something else: {(done.stdout + done.stderr)[-2000:]}")
    rows, findings, _, rate = (part.replace(",", "") for part in said.groups())
    return Said(int(rows), int(findings), int(rate), done.stdout)
