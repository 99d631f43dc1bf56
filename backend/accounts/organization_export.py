"""An organization as one JSON document, written piece by piece: its size is no matter, its parts fit together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils import timezone

from accounts import belongings
from accounts.belongings import Row
from accounts.models import Organization

PIECE = 64 * 1024
"""Characters, about: small rows go out together."""


def document(organization: Organization) -> Iterator[bytes]:
    """`{"exported", "organization": {...}, "<section>": [rows], ...}` as of one moment."""
    buffered, size = [], 0
    with _one_moment():
        for text in _texts(organization):
            buffered.append(text)
            size += len(text)
            if size >= PIECE:
                yield "".join(buffered).encode()
                buffered, size = [], 0
    yield "".join(buffered).encode()


def _texts(organization: Organization) -> Iterator[str]:
    head = {"exported": timezone.now(), "organization": _described(organization)}
    yield _json(head)[:-1]
    for app in belongings.upwards():
        for name, rows in app.sections(organization):
            yield f",\n{_json(name)}: ["
            yield from _separated(rows)
            yield "]"
    yield "}\n"


def _separated(rows: Iterable[Row]) -> Iterator[str]:
    separator = "\n"
    for row in rows:
        yield separator + _json(row)
        separator = ",\n"


def _described(organization: Organization) -> Row:
    return {
        "id": organization.pk,
        "name": organization.name,
        "sandbox": organization.is_sandbox,
        "suspended": organization.suspended,
        "delete_after": organization.delete_after,
        "created": organization.created,
    }


def _json(value: object) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


@contextmanager
def _one_moment() -> Iterator[None]:
    """A snapshot of the database, however long the reader takes; inside a transaction it is that one's."""
    begins = not connection.in_atomic_block
    with transaction.atomic():
        if begins:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
