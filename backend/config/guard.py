"""Deny by default for rows: while an API request is answered, a query that came through no door is refused.

A guarded queryset runs if it was opened by a door (`visible_to(...)`, `opened("<why>")`) or is a relation of a row that
somebody already holds. Everything else raises `Unguarded`, in tests and in production alike: a view that forgot its
door answers 500 and shows nothing. Outside of API requests (commands, the admin, the worker) nothing is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

from django.db import models

_guarding: ContextVar[bool] = ContextVar("guarding", default=False)


class Unguarded(RuntimeError):
    """A fault of ours: rows of tenants were about to be read or changed without a door."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__(f"a query for {model.__name__} came through no door; use visible_to(...) or opened(reason)")


@contextmanager
def guarding() -> Iterator[None]:
    """Inside, guarded querysets refuse to run unless they were opened."""
    token = _guarding.set(True)
    try:
        yield
    finally:
        _guarding.reset(token)


@contextmanager
def unguarded(reason: str) -> Iterator[None]:
    """An exception that says why. Prefer `queryset.opened(reason)`, which excepts one query only."""
    if not reason:
        raise ValueError("say why these queries need no door")
    token = _guarding.set(False)
    try:
        yield
    finally:
        _guarding.reset(token)


class GuardedQuerySet[M: models.Model](models.QuerySet[M]):
    """Subclasses add `visible_to(who)`, their door."""

    _door = ""

    def opened(self, reason: str) -> Self:
        """A door other than `visible_to`: `reason` says what else decides which rows these are."""
        if not reason:
            raise ValueError("say what decides which rows these are")
        opened = self._clone()
        opened._door = reason  # noqa: SLF001 - of this very class
        return opened

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._door = self._door
        return clone

    def _check(self) -> None:
        of_a_row = "instance" in self._hints  # type: ignore[attr-defined]
        if _guarding.get() and not self._door and not of_a_row:
            raise Unguarded(self.model)

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._check()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Iterator[M]:
        self._check()
        return super().iterator(*args, **kwargs)

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._check()
        return super().aggregate(*args, **kwargs)

    def count(self) -> int:
        if self._result_cache is None:
            self._check()
        return super().count()

    def exists(self) -> bool:
        if self._result_cache is None:
            self._check()
        return super().exists()

    def update(self, **fields: Any) -> int:
        self._check()
        return super().update(**fields)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._check()
        return super().delete()


class GuardedModel(models.Model):
    """Django's own checks of uniqueness look at all rows and tell nothing of them but that a value is taken."""

    class Meta:
        abstract = True

    def validate_unique(self, exclude: Any = None) -> None:
        with unguarded("uniqueness"):
            super().validate_unique(exclude)

    def validate_constraints(self, exclude: Any = None) -> None:
        with unguarded("uniqueness"):
            super().validate_constraints(exclude)
