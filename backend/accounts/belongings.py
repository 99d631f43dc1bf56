"""What belongs to an organization, told by the apps that keep it: counted, exported, and at the end removed.

An app that keeps something for an organization registers its `Belongings` when it is ready; so exports and deletions
stay whole without this app knowing any of those above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from accounts.models import Organization

Row = Mapping[str, Any]
"""JSON values, and datetimes."""


class NotYet(Exception):
    """Something still works on what is to be removed. Nothing is lost by trying again later."""


class Belongings:
    """One app's. A deletion calls `stop` of all apps, then `remove` from the highest app down to this one.

    `stop` and `remove` may be called again after a failure half way, and do the rest.
    """

    def counts(self, organization: Organization) -> Mapping[str, int]:
        """Noun -> how many there are."""
        return {}

    def sections(self, organization: Organization) -> Iterator[tuple[str, Iterable[Row]]]:
        """(name, rows) for the export. Never a secret, nor the hash of one."""
        return iter(())

    def stop(self, organization: Organization) -> None:
        """From now on nothing new arrives."""

    def remove(self, organization: Organization) -> None:
        """All of it. Raises NotYet."""


_apps: list[Belongings] = []


def register(belongings: Belongings) -> None:
    """Called once per app, in the order of INSTALLED_APPS: from the lowest to the highest."""
    _apps.append(belongings)


def upwards() -> list[Belongings]:
    return list(_apps)


def downwards() -> list[Belongings]:
    return _apps[::-1]


def counts(organization: Organization) -> dict[str, int]:
    return {noun: number for app in _apps for noun, number in app.counts(organization).items()}
