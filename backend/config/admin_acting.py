"""Pages whose rows are made, changed and deleted by the same functions as through the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from config.admin_operations import Operation, OperationsAdmin


class ActingAdmin(OperationsAdmin):
    """`create(**fields)` returns the row; `change(row, **changes)`; `remove(row)`. Each raises what its rules say.

    Without one of them the admin does not offer it. Removing is an operation: Django's own page for it would ask about
    each row below, and knows nothing of what goes with them. `removal` says it in a sentence.
    """

    create: ClassVar[Callable[..., Any] | None] = None
    change: ClassVar[Callable[..., Any] | None] = None
    remove: ClassVar[Callable[..., Any] | None] = None
    fixed: ClassVar[tuple[str, ...]] = ()
    """Fields that a row keeps for ever."""
    removal: ClassVar[str] = ""

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        if self.remove is not None:
            deletion = Operation(
                name="delete", label="Delete", question=self.removal, run=self._remove, dangerous=True, ends=True
            )
            self.operations = (*self.operations, deletion)
        super().__init__(model, admin_site)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.create is not None and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.change is not None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *(self.fixed if obj is not None else ()))

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        if self.change is None or (self.create is None and not change):
            raise TypeError("there is no way to save this here")
        if not change:
            obj.pk = self.create(**form.cleaned_data).pk  # type: ignore[misc]  # checked above
            return
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        if values:
            now = self.model._default_manager.get(pk=obj.pk)  # `obj` is what the form makes of it
            self.change(now, **values)

    def _remove(self, request: HttpRequest, row: Any, values: Mapping[str, Any]) -> str:
        if self.remove is None:
            raise TypeError("there is no way to delete this here")
        name = str(row)
        self.remove(row)
        return f"Deleted: {name}"
