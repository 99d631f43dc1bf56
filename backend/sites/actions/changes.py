"""What every change of a row has in common: others may change or delete it at the same moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404
from psycopg.errors import UniqueViolation
from rest_framework.exceptions import APIException

from sites.models import Site, TenantQuerySet, TenantRow


def save_changes(row: Site | TenantRow, changes: Mapping[str, Any]) -> None:
    """Only these fields are written, so that two people who change different ones do not undo each other.

    Raises Http404 if the row is gone meanwhile.
    """
    for name, value in changes.items():
        setattr(row, name, value)
    if not changes:
        return
    try:
        row.save(update_fields=list(changes))
    except row.NotUpdated:
        raise Http404 from None


def locked[M: TenantRow](row: M) -> M:
    """As it is now, until the end of the transaction. Raises Http404 if it is gone meanwhile."""
    rows: TenantQuerySet[M] = type(row)._default_manager.all()  # type: ignore[assignment]  # a TenantRow's manager
    found = rows.opened("this very row").select_for_update(of=("self",)).filter(pk=row.pk).first()
    if found is None:
        raise Http404
    return found


@contextmanager
def unique(taken: APIException) -> Iterator[None]:
    """A transaction. What must be unique and is not becomes `taken`, also if two come at once."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise taken from None
