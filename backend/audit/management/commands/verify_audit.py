"""`manage.py verify_audit`: is the audit log what was recorded? Ends with 1 if it is not, and names every event."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.anchors import Anchors, BadAnchors
from audit.models import Seal
from audit.verify import verify

PROGRESS_SECONDS = 2.0
MANY = 100_000
MOST_NAMED = 1_000


class Command(BaseCommand):
    help = "Recompute the chains of the audit log and compare their ends with the anchors (EMS_AUDIT_ANCHORS)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", type=int, help="only this one's; 0: events of no organization")

    def handle(self, *args: Any, organization: int | None = None, **options: Any) -> None:
        try:
            anchors = list(Anchors.configured().read())
        except (BadAnchors, OSError) as error:
            raise CommandError(f"the anchors cannot be read: {error}") from error
        verdict = verify(anchors, organization, self._progress(organization))
        for finding in verdict.findings[:MOST_NAMED]:
            self.stdout.write(str(finding))
        if len(verdict.findings) > MOST_NAMED:
            self.stdout.write(f"... and {len(verdict.findings) - MOST_NAMED:,} more")
        self.stdout.write(
            f"{verdict.rows:,} events in {verdict.chains:,} chains against {verdict.anchors:,} anchors: "
            f"{len(verdict.findings):,} findings ({verdict.seconds:.1f} s, {verdict.rate:,.0f} rows/s)"
        )
        if not verdict.anchors:
            self.stderr.write("no anchors: events cut off at the end of a chain cannot be found (EMS_AUDIT_ANCHORS)")
        if verdict.findings:
            sys.exit(1)

    def _progress(self, organization: int | None) -> Callable[[int], None]:
        seals = Seal.objects.all() if organization is None else Seal.objects.filter(organization=organization)
        total = seals.count()
        if total > MANY:
            self.stderr.write(f"{total:,} events; putting the chains in order comes first ...")
        last = time.monotonic()

        def tell(rows: int) -> None:
            nonlocal last
            if time.monotonic() - last >= PROGRESS_SECONDS:
                last = time.monotonic()
                self.stderr.write(f"{rows:,} of {total:,} ...")

        return tell
