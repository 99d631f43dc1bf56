"""Puts a table under audit. For migrations of the app that the table belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.migrations import RunSQL


def attach(
    table: str,
    noun: str,
    target: str,
    *,
    secret: Sequence[str] = (),
    noise: Sequence[str] = (),
    personal: Sequence[str] = (),
    by_people_only: bool = False,
) -> RunSQL:
    """Record every insert, update and delete as `<noun>.created`, `.changed`, `.deleted`, in its own transaction.

    `target` is the column that names the row to people; `user_id` gives the user's e-mail. That a `secret` column
    changed is recorded, never what it holds. A change of `noise` columns alone is none. `personal` columns name a
    person, who can be erased. `by_people_only`: not what edges and commands do.
    """
    arguments = ", ".join(f"'{one}'" for one in (noun, target, *map(_array, (secret, noise, personal))))
    when = "WHEN (audit_by_person()) " if by_people_only else ""
    return RunSQL(
        f'CREATE TRIGGER audit_row AFTER INSERT OR UPDATE OR DELETE ON "{table}" FOR EACH ROW '
        f"{when}EXECUTE FUNCTION audit_row({arguments})",
        f'DROP TRIGGER audit_row ON "{table}"',
    )


def _array(names: Sequence[str]) -> str:
    return "{" + ",".join(names) + "}"
