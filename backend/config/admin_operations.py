"""Operations: what can be done to rows besides editing them, each behind a page that says what will happen.

An operation of a ModelAdmin appears as a button on the row's page and in the list's menu. GET asks, POST does; all
rows or none. It runs the same `check_` and `do_` functions as the API does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import redis
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from rest_framework.exceptions import APIException

MOST_ROWS = 200
"""More are refused: a page that asks must name what it asks about."""
MAX_ID_LENGTH = 40
REFUSALS = (ValidationError, APIException, redis.RedisError)
"""What `check_` and `do_` functions raise when a rule says no or Redis does not answer."""


@dataclass(frozen=True)
class Operation:
    """`run(request, row, values)` returns what to say of this row, or "" for nothing; it raises what `check_` raises.

    `question` says in a sentence what happens to each row, `facts` what the row holds (word -> number). `form` asks
    for more, such as the name typed again.
    `offered` is false for rows that it makes no sense for. `page`, given what `run` returned for each row, answers
    with a page of its own: for what is shown only once. `ends`: the rows are gone afterwards.
    """

    name: str
    label: str
    question: str
    run: Callable[[HttpRequest, Any, Mapping[str, Any]], Any]
    form: type[forms.Form] = forms.Form
    facts: Callable[[Any], Mapping[str, object]] = lambda _: {}
    offered: Callable[[Any], bool] = lambda _: True
    dangerous: bool = False
    ends: bool = False
    page: Callable[[HttpRequest, Sequence[tuple[Any, Any]]], HttpResponse] | None = None


class PlainForm(forms.ModelForm):
    """Labels without a colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class OperationsAdmin(admin.ModelAdmin):
    """The base of our pages."""

    form = PlainForm

    operations: tuple[Operation, ...] = ()
    list_per_page = 50

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.actions = [*(self.actions or ()), *(_list_action(operation) for operation in self.operations)]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.operate)
        return [path("do/<slug:name>/", view, name=self._url_name()), *super().get_urls()]

    def links(self, row: Any) -> list[tuple[str, str]]:
        """(words, address) of other pages about this row."""
        return []

    def operation_url(self, operation: Operation, rows: Sequence[Any]) -> str:
        ids = urlencode([("id", row.pk) for row in rows])
        return f"{reverse(f'admin:{self._url_name()}', args=[operation.name])}?{ids}"

    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_do"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Adds the row's links and operations as buttons (admin/change_form_object_tools.html)."""
        row = kwargs.get("obj")
        context["show_save_and_add_another"] = False
        if row is not None:
            context["links"] = self.links(row)
            context["operations"] = [
                (one, self.operation_url(one, [row])) for one in self.operations if one.offered(row)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    # Editing obeys the same rules ---------------------------------------------------------------------------------

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_refused(request, lambda: super(OperationsAdmin, self).changeform_view(request, *args, **kwargs))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._or_refused(request, lambda: super(OperationsAdmin, self).delete_view(request, *args, **kwargs))

    def _or_refused(self, request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """Django's forms know nothing of our rules: a refusal rolled everything back, and is told on the same page."""
        try:
            return answer()
        except REFUSALS as refusal:
            for sentence in reasons(refusal):
                messages.error(request, f"Nothing was changed. {sentence}")
            return HttpResponseRedirect(request.get_full_path())

    def operate(self, request: HttpRequest, name: str) -> HttpResponse:
        """GET asks, POST does."""
        operation = next((one for one in self.operations if one.name == name), None)
        if operation is None:
            raise Http404
        rows = self._rows(request)
        offered = [row for row in rows if operation.offered(row)]
        form = operation.form(request.POST if request.method == "POST" else None, label_suffix="")
        if request.method == "POST" and offered and form.is_valid():
            done = self._run(request, operation, offered, form)
            if done is not None:
                return done
        context = {
            **self.admin_site.each_context(request),
            "title": operation.label,
            "opts": self.opts,
            "operation": operation,
            "rows": [(row, operation.facts(row)) for row in offered],
            "left_out": len(rows) - len(offered),
            "form": form,
            "back": self._back(rows),
        }
        return TemplateResponse(request, "admin/operation.html", context)

    def _rows(self, request: HttpRequest) -> list[Any]:
        ids = [text for text in request.GET.getlist("id") if len(text) <= MAX_ID_LENGTH]
        try:
            rows = list(self.get_queryset(request).filter(pk__in=ids[:MOST_ROWS]))
        except (ValueError, ValidationError) as error:
            raise Http404 from error
        if not rows:
            raise Http404
        return rows

    def _run(
        self, request: HttpRequest, operation: Operation, rows: list[Any], form: forms.Form
    ) -> HttpResponse | None:
        """None, and the reason on the form, if a rule refuses it; then nothing has changed."""
        try:
            with transaction.atomic():
                done = [(row, operation.run(request, row, form.cleaned_data)) for row in rows]
        except REFUSALS as refusal:
            for sentence in reasons(refusal):
                form.add_error(None, sentence)
            return None
        if operation.page is not None:
            return operation.page(request, done)
        for row, said in done:
            messages.success(request, said or f"{operation.label}: {row}")
        return HttpResponseRedirect(self._back([] if operation.ends else rows))

    def _back(self, rows: list[Any]) -> str:
        """The row's own page, or the list."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return reverse(f"{name}_change", args=[rows[0].pk]) if len(rows) == 1 else reverse(f"{name}_changelist")


def _list_action(operation: Operation) -> Callable[[OperationsAdmin, HttpRequest, QuerySet[Model]], HttpResponse]:
    def ask(model_admin: OperationsAdmin, request: HttpRequest, rows: QuerySet[Model]) -> HttpResponse:
        chosen = list(rows[: MOST_ROWS + 1])
        if len(chosen) > MOST_ROWS:
            messages.warning(request, f"Choose at most {MOST_ROWS} rows at once.")
            return HttpResponseRedirect(request.get_full_path())
        return HttpResponseRedirect(model_admin.operation_url(operation, chosen))

    ask.__name__ = operation.name.replace("-", "_")
    ask.short_description = operation.label  # type: ignore[attr-defined]
    return ask


def reasons(refusal: Exception) -> list[str]:
    """What a rule said, as sentences: Django's and DRF's errors are nested differently."""
    match refusal:
        case ValidationError():
            return list(refusal.messages)
        case APIException():
            return list(_leaves(refusal.detail))
        case redis.RedisError():
            return [f"Redis does not answer ({type(refusal).__name__}), so nothing was changed. Try again in a moment."]
        case _:
            raise TypeError("not a refusal") from refusal


def _leaves(detail: Any) -> list[str]:
    if isinstance(detail, dict):
        return [sentence for inner in detail.values() for sentence in _leaves(inner)]
    if isinstance(detail, list):
        return [sentence for inner in detail for sentence in _leaves(inner)]
    return [str(detail)]


class ReadOnly(admin.ModelAdmin):
    """To look at, not to touch."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
