"""Invitations in the Django admin: made, sent again, withdrawn. The link in the e-mail is shown to nobody here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.access import access_of
from accounts.admin.people import acting
from config.admin_operations import Operation, OperationsAdmin, PlainForm
from config.admin_site import Figure, OperationsSite
from config.admin_words import Tone, rows_url, state
from invitations.actions import invitations
from invitations.models import Delivery, Invitation, InvitedSite, State

TONES: Mapping[str, Tone] = {
    State.PENDING: "accent",
    State.ACCEPTED: "good",
    State.EXPIRED: "",
    Delivery.WAITING: "warn",
    Delivery.SENT: "",
    Delivery.REFUSED: "bad",
}


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, label in State.choices]

    def queryset(self, request: HttpRequest, rows: Any) -> Any:
        match self.value():
            case State.PENDING:
                return rows.pending()
            case State.EXPIRED:
                return rows.expired()
            case State.ACCEPTED:
                return rows.exclude(accepted=None)
            case _:
                return rows


class InvitationForm(PlainForm):
    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        return email


class InvitedSiteInline(admin.TabularInline):
    model = InvitedSite
    fields = readonly_fields = ("site", "role")
    extra = 0
    can_delete = False
    verbose_name_plural = "roles on sites that come with it"

    def has_add_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False


def _resend(request: HttpRequest, invitation: Invitation, _: Mapping[str, Any]) -> str:
    person = acting(request)
    invitations.check_resend(access_of(person), invitation)
    invitations.do_resend(person, invitation)
    return f"A new link goes to {invitation.email}."


def _withdraw(_: HttpRequest, invitation: Invitation, __: Mapping[str, Any]) -> str:
    said = f"Withdrawn: {invitation}"
    invitations.do_delete(invitation)
    return said


def _is_open(invitation: Invitation) -> bool:
    return invitation.accepted is None


@admin.register(Invitation)
class InvitationAdmin(OperationsAdmin):
    form = InvitationForm
    list_display = ("email", "organization", "role", "condition", "mail", "invited_by", "created", "expires")
    list_filter = (StateFilter, "role", ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organization", "invited_by")
    search_fields = ("email", "organization__name", "invited_by__email")
    autocomplete_fields = ("organization",)
    inlines = (InvitedSiteInline,)
    operations = (
        Operation(
            name="resend",
            label="Send again",
            question="A new link is sent, good for as long as a new invitation. The old link is void at once.",
            run=_resend,
            offered=_is_open,
        ),
        Operation(
            name="withdraw",
            label="Withdraw",
            question="The link in the e-mail is void at once.",
            run=_withdraw,
            offered=_is_open,
            dangerous=True,
            ends=True,
        ),
    )

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        if obj is None:
            return ("organization", "email", "role")
        known = (("condition", "mail"), ("invited_by", "created", "expires"), ("sent", "accepted", "accepted_by"))
        return (("organization", "email", "role"), *known)

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Invitation, form: forms.ModelForm, change: bool) -> None:
        person, values = acting(request), form.cleaned_data
        invitations.check_create(access_of(person), values["organization"], values["email"], values["role"], [])
        obj.pk = invitations.do_create(person, values["organization"], values["email"], values["role"], []).pk

    @admin.display(description="state", ordering="accepted")
    def condition(self, invitation: Invitation) -> str:
        return state(invitation.state.label, TONES[invitation.state])

    @admin.display(description="e-mail", ordering="sent")
    def mail(self, invitation: Invitation) -> str:
        return state(invitation.delivery.label, TONES[invitation.delivery])


def figures() -> Iterator[Figure]:
    pending = Invitation.objects.pending()
    refused = pending.exclude(refused=None).count()
    note = f"{refused} refused by the mail server" if refused else ""
    url = rows_url("invitations_invitation", state=State.PENDING)
    yield Figure("Open invitations", pending.count(), url, note, warn=refused > 0, rank=55)


OperationsSite.figure_makers.append(figures)
