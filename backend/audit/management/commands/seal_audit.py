"""`manage.py seal_audit`: what the worker does every second, once, by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from audit.seal import Sealer, heads


class Command(BaseCommand):
    help = "Give every event that waits its place in the chain, and write down the chains' ends."

    def handle(self, *args: Any, **options: Any) -> None:
        before = _sealed()
        Sealer().run()
        self.stdout.write(f"{_sealed() - before:,} events sealed")


def _sealed() -> int:
    return sum(head.position for head in heads())
