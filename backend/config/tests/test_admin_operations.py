"""What a platform admin does in the admin: each page asks first, then does what the API would do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.actions import access_tokens
from accounts.models import AccessChange, AccessToken, Membership, SystemSettings, User
from accounts.policy import Role, Scope
from audit.models import AuditEvent
from config.admin_operations import OperationsAdmin
from invitations.models import Invitation
from sites.models import Asset, Device, Edge, Point, Site, SiteAccess
from testing.cast import Cast, edge_kit


@pytest.fixture
def root(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.root)
    return client


def do(root: Client, path: str, *rows: Any, **values: Any) -> str:
    """Post to an operation, follow to the page it leads to; -> its text."""
    ids = "&".join(f"id={row.pk}" for row in rows)
    answer = root.post(f"/admin/{path}/?{ids}", values, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def page(root: Client, path: str) -> str:
    answer = root.get(f"/admin/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


# Organizations ------------------------------------------------------------------------------------------------------


def test_an_organization_is_suspended_and_resumed_by_somebody_the_audit_log_knows(cast: Cast, root: Client) -> None:
    assert "is suspended" in do(root, "accounts/organization/do/suspend", cast.alpha)
    cast.alpha.refresh_from_db()
    assert cast.alpha.suspended is not None
    event = AuditEvent.objects.filter(action="organization.changed", target_id=cast.alpha.pk).first()
    assert event is not None
    assert (event.actor_id, event.actor_name, event.address) == (cast.root.pk, cast.root.email, "127.0.0.1")
    assert "is open again" in do(root, "accounts/organization/do/resume", cast.alpha)
    cast.alpha.refresh_from_db()
    assert cast.alpha.suspended is None


def test_asking_changes_nothing_and_says_what_will_happen(cast: Cast, root: Client) -> None:
    text = page(root, f"accounts/organization/do/delete/?id={cast.alpha.pk}")
    assert "for ever" in text
    assert "sites: 2" in text
    cast.alpha.refresh_from_db()
    assert cast.alpha.delete_after is None


@pytest.mark.parametrize("typed", ["", "alpha", "Beta", "Alpha "])
def test_a_deletion_wants_the_name_typed_exactly(cast: Cast, root: Client, typed: str) -> None:
    do(root, "accounts/organization/do/delete", cast.alpha, name=typed)
    cast.alpha.refresh_from_db()
    assert (cast.alpha.delete_after is None) == (typed != "Alpha ")  # a form field is trimmed


def test_a_deletion_is_asked_for_and_cancelled(cast: Cast, root: Client) -> None:
    assert "can be cancelled" in do(root, "accounts/organization/do/delete", cast.alpha, name="Alpha")
    cast.alpha.refresh_from_db()
    assert cast.alpha.delete_after is not None
    assert cast.alpha.delete_after > timezone.now() + timedelta(days=6)
    do(root, "accounts/organization/do/keep", cast.alpha)
    cast.alpha.refresh_from_db()
    assert cast.alpha.delete_after is None


def test_an_operation_that_makes_no_difference_is_not_offered(cast: Cast, root: Client) -> None:
    assert "nothing to do" in do(root, "accounts/organization/do/resume", cast.alpha)
    assert "/do/resume/" not in page(root, f"accounts/organization/{cast.alpha.pk}/change/")


def test_a_refusal_of_one_row_leaves_all_as_they_were(cast: Cast, root: Client) -> None:
    """Edges without a live key can be deleted, the other one cannot."""
    kit, free = edge_kit(cast.own), Edge.objects.create(site=cast.own, name="Free")
    assert "live key" in do(root, "sites/edge/do/delete", free, kit.edge)
    assert Edge.objects.count() == 2
    assert "Deleted: Free" in do(root, "sites/edge/do/delete", free)
    assert Edge.objects.get() == kit.edge


# People -------------------------------------------------------------------------------------------------------------


def test_a_person_is_erased_after_the_address_was_typed(cast: Cast, root: Client) -> None:
    assert "exactly" in do(root, "accounts/user/do/erase", cast.bob, email="somebody@example.com")
    assert User.objects.filter(email="bob@example.com").exists()
    do(root, "accounts/user/do/erase", cast.bob, email="bob@example.com")
    cast.bob.refresh_from_db()
    assert cast.bob.erased is not None
    assert not cast.bob.is_active


def test_nobody_erases_themselves(cast: Cast, root: Client) -> None:
    assert "Nobody erases their own account" in do(root, "accounts/user/do/erase", cast.root, email=cast.root.email)


def test_a_persons_flags_are_changed_by_the_rules_of_the_api(cast: Cast, root: Client) -> None:
    form = _form_of(root, f"accounts/user/{cast.dev.pk}/change/")
    form.pop("is_developer")
    assert root.post(f"/admin/accounts/user/{cast.dev.pk}/change/", form).status_code == 302
    cast.dev.refresh_from_db()
    assert not cast.dev.is_developer
    assert cast.dev.is_active
    own = _form_of(root, f"accounts/user/{cast.root.pk}/change/")
    own.pop("is_superuser")
    answer = root.post(f"/admin/accounts/user/{cast.root.pk}/change/", own, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    cast.root.refresh_from_db()
    assert cast.root.is_superuser


def _form_of(root: Client, path: str) -> dict[str, Any]:
    """What a browser would send back: the form as it is shown."""
    context = root.get(f"/admin/{path}").context
    form = context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    for inline in context["inline_admin_formsets"]:
        for each in (inline.formset.management_form, *inline.formset.forms):
            values |= {each.add_prefix(name): each[name].value() for name in each.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def test_a_role_on_a_site_is_for_members_only(cast: Cast, root: Client) -> None:
    form = {"site": cast.own.pk, "user": cast.charlie.pk, "role": "viewer"}
    answer = root.post("/admin/sites/siteaccess/add/", form)
    assert "is no member of Alpha" in answer.content.decode()
    form["user"] = cast.alice.pk
    assert root.post("/admin/sites/siteaccess/add/", form).status_code == 302
    assert SiteAccess.objects.filter(user=cast.alice, site=cast.own).exists()


def test_the_last_org_admin_stays_whichever_page_is_used(cast: Cast, root: Client) -> None:
    for path in (f"accounts/organization/{cast.alpha.pk}/change/", f"accounts/user/{cast.alice.pk}/change/"):
        form = _form_of(root, path)
        name = next(name for name, value in form.items() if value == "org_admin")
        answer = root.post(f"/admin/{path}", {**form, name: "member"}, follow=True)
        assert "last org admin" in answer.content.decode()
        answer = root.post(f"/admin/{path}", {**form, name.replace("-role", "-DELETE"): "on"}, follow=True)
        assert "last org admin" in answer.content.decode()
    assert Membership.objects.get(user=cast.alice).role == "org_admin"


def test_a_membership_taken_away_in_an_inline_is_announced(cast: Cast, root: Client) -> None:
    path = f"accounts/user/{cast.bob.pk}/change/"
    AccessChange.objects.all().delete()
    form = _form_of(root, path)
    assert root.post(f"/admin/{path}", {**form, "memberships-0-DELETE": "on"}).status_code == 302
    assert not Membership.objects.filter(user=cast.bob).exists()
    assert AccessChange.objects.filter(user_id=cast.bob.pk).exists()


def test_a_session_is_ended(cast: Cast, root: Client) -> None:
    tokens.start(cast.bob)
    session = cast.bob.login_sessions.get()
    do(root, "accounts/loginsession/do/end", session)
    session.refresh_from_db()
    assert session.revoked is not None


def test_an_access_token_is_revoked_and_never_shown(cast: Cast, root: Client) -> None:
    expires = timezone.now() + timedelta(days=1)
    token, text = access_tokens.do_issue(cast.alice, "Power BI", [Scope.READ], None, expires)
    for path in ("accounts/accesstoken/", f"accounts/accesstoken/{token.pk}/change/"):
        shown = page(root, path)
        assert "Power BI" in shown
        assert text not in shown
        assert token.secret_hash not in shown
    do(root, "accounts/accesstoken/do/revoke", token)
    assert AccessToken.objects.get().revoked is not None


# Sites --------------------------------------------------------------------------------------------------------------


def test_it_is_said_who_can_see_a_site_and_why(cast: Cast, root: Client) -> None:
    text = page(root, f"sites/site/{cast.own.pk}/who/")
    for words in ("alice@example.com", "Org admin of Alpha.", "olga@example.com", "Operator of this site.", "Control"):
        assert words in text
    assert "charlie@example.com" not in text


def test_it_is_said_what_a_person_can_see_and_what_not(cast: Cast, root: Client) -> None:
    text = page(root, f"accounts/user/{cast.bob.pk}/sees/")
    assert "1 site" in text
    assert "Viewer of this site." in text
    assert "No role on this site" in text  # Alpha's other one
    assert "Foreign" not in text
    assert root.get("/admin/accounts/user/999999/sees/").status_code == 404
    assert root.get("/admin/sites/site/999999/who/").status_code == 404


def test_a_site_is_made_with_roles_on_it_and_deleted(cast: Cast, root: Client) -> None:
    values = {"name": "New", "slug": "new", "timezone": "Europe/Berlin", "latitude": 1, "longitude": 2}
    inline = {
        "accesses-TOTAL_FORMS": 1,
        "accesses-INITIAL_FORMS": 0,
        "accesses-0-user": cast.bob.pk,
        "accesses-0-role": "viewer",
    }
    answer = root.post("/admin/sites/site/add/", {"organization": cast.alpha.pk, **values, **inline})
    assert answer.status_code == 302, answer.context["errors"]
    site = Site.objects.get(slug="new")
    assert site.accesses.get().user == cast.bob
    assert "Deleted: New" in do(root, "sites/site/do/delete", site)
    assert not Site.objects.filter(slug="new").exists()


def test_a_device_is_checked_as_the_api_does(cast: Cast, root: Client) -> None:
    edge = Edge.objects.create(site=cast.own, name="Edge")
    form = {"edge": edge.pk, "key": "meter", "name": "Meter", "driver": "modbus", "profile": "stl_meter"}
    answer = root.post("/admin/sites/device/add/", {**form, "connection": '{"port": "x"}'}, follow=True)
    assert answer.status_code == 200
    assert not Device.objects.exists()
    good = {**form, "connection": '{"host": "10.0.0.5", "port": 502, "unit": 1}'}
    assert root.post("/admin/sites/device/add/", good).status_code == 302
    assert Device.objects.get().site == cast.own


def test_a_point_keeps_what_its_edge_says_beside_what_a_person_says(cast: Cast, root: Client) -> None:
    kit = edge_kit(cast.own)
    path = f"/admin/sites/point/{kit.point.pk}/change/"
    form = {"name": "Main meter", "asset": kit.point.asset_id or ""}
    assert root.post(path, form).status_code == 302
    point = Point.objects.get()
    assert point.name == "Main meter"
    assert point.overridden == {"name": "Active power"}


def test_an_asset_with_something_below_it_stays(cast: Cast, root: Client) -> None:
    building = Asset.objects.create(site=cast.own, kind=Asset.Kind.BUILDING, name="Building")
    Asset.objects.create(site=cast.own, kind=Asset.Kind.METER, name="Meter", parent=building)
    assert "are below Building" in do(root, "sites/asset/do/delete", building)
    assert Asset.objects.count() == 2


def test_an_edge_has_two_live_keys_at_most(cast: Cast, root: Client) -> None:
    kit = edge_kit(cast.own)
    do(root, "sites/edge/do/create-key", kit.edge)
    assert "has 2 live keys" in do(root, "sites/edge/do/create-key", kit.edge)
    do(root, "sites/edgekey/do/revoke", kit.key)
    assert "shown this once" in do(root, "sites/edge/do/create-key", kit.edge)


# The whole ----------------------------------------------------------------------------------------------------------


def test_an_invitation_is_made_sent_again_and_withdrawn(cast: Cast, root: Client) -> None:
    form = {"organization": cast.alpha.pk, "email": "New@Example.com", "role": "member"}
    form |= {"sites-TOTAL_FORMS": 0, "sites-INITIAL_FORMS": 0}
    assert root.post("/admin/invitations/invitation/add/", form).status_code == 302
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.invited_by) == ("new@example.com", cast.root)
    assert "new link" in do(root, "invitations/invitation/do/resend", invitation)
    do(root, "invitations/invitation/do/withdraw", invitation)
    assert not Invitation.objects.exists()


def test_the_system_settings_are_one_page(cast: Cast, root: Client) -> None:
    answer = root.get("/admin/accounts/systemsettings/")
    assert answer["Location"] == "/admin/accounts/systemsettings/1/change/"
    form = _form_of(root, "accounts/systemsettings/1/change/")
    assert root.post("/admin/accounts/systemsettings/1/change/", {**form, "invitation_days": 3}).status_code == 302
    assert SystemSettings.load().invitation_days == 3
    assert root.get("/admin/accounts/systemsettings/add/").status_code == 403


def test_the_first_page_has_figures_that_are_true(cast: Cast, root: Client) -> None:
    edge_kit(cast.own)
    answer = root.get("/admin/")
    figures = {figure.label: figure.value for figure in answer.context["figures"]}
    assert figures["Organizations"] == 2
    assert figures["Sites"] == 3
    assert figures["Edges never seen"] == 1
    assert figures["Edges online"] == 0
    assert figures["People"] == 7
    assert figures["Open invitations"] == 0
    assert figures["Worker jobs"] == 0
    assert figures["Not yet sealed"] > 0
    assert {
        url for url in (figure.url for figure in answer.context["figures"]) if root.get(url).status_code != 200
    } == set()


def test_an_edge_is_online_if_history_has_heard_of_it_just_now(cast: Cast, root: Client) -> None:
    now, silent, never = (Edge.objects.create(site=cast.own, name=name) for name in ("Now", "Silent", "Never"))
    with connections[settings.HISTORY_ALIAS].cursor() as cursor:
        for edge, age in ((now, "1 second"), (silent, "3 hours"), (silent, "2 days")):
            cursor.execute(
                "INSERT INTO receipt (edge, boot, updated) VALUES (%s, gen_random_uuid(), now() - %s::interval)",
                [edge.pk, age],
            )
    figures = {figure.label: figure.value for figure in root.get("/admin/").context["figures"]}
    assert figures["Edges online"] == 1
    assert "3\xa0hours ago" in page(root, f"sites/edge/{silent.pk}/change/")
    assert "never" in page(root, f"sites/edge/{never.pk}/change/")


def test_every_page_is_in_a_group(db: None) -> None:
    from config.admin_site import GROUPS

    named = {name for _, names in GROUPS for name in names}
    assert {model.__name__ for model in admin.site._registry} == named


def test_every_list_searches_filters_and_counts(cast: Cast, root: Client) -> None:
    edge_kit(cast.own)
    for model, shown in admin.site._registry.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        listed = root.get(base, {"q": "o'brien\x00 <x>"}, follow=True)
        assert listed.status_code == 200, base
        if isinstance(shown, OperationsAdmin) and "cl" in (listed.context or {}):
            for spec in root.get(base).context["cl"].filter_specs:
                for choice in spec.choices(root.get(base).context["cl"]):
                    assert root.get(base + choice["query_string"]).status_code == 200, (base, choice)


def test_foreign_keys_are_completed_by_typing(cast: Cast, root: Client) -> None:
    query = {"term": "ali", "app_label": "accounts", "model_name": "membership", "field_name": "user"}
    found = root.get("/admin/autocomplete/", query).json()["results"]
    assert [row["text"] for row in found] == ["alice@example.com"]


def test_the_audit_log_is_searched_by_person_and_filtered_by_site(cast: Cast, root: Client) -> None:
    SiteAccess.objects.filter(user=cast.bob).update(role=Role.OPERATOR.value)
    assert "site_access.changed" in page(root, "audit/auditevent/?q=bob@example.com")
    assert "site_access.changed" in page(root, f"audit/auditevent/?site_id={cast.own.pk}")
    assert "site_access.changed" not in page(root, f"audit/auditevent/?site_id={cast.foreign.pk}")
    event = AuditEvent.objects.get(action="site_access.changed")
    text = page(root, f"audit/auditevent/{event.pk}/change/")
    assert '<td class="was">viewer</td>' in text
    assert '<td class="is">operator</td>' in text


def test_somebody_who_may_not_enter_is_told_so_in_words(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.alice)
    text = client.get("/admin/", follow=True).content.decode()
    assert "You are signed in as alice@example.com, who may not open this page." in text


def test_what_is_not_there_is_said_in_a_page_to_a_platform_admin_only(cast: Cast, root: Client) -> None:
    answer = root.get("/admin/nothing/")
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.content.decode()
    refused = root.get("/admin/sites/point/add/")
    assert refused.status_code == 403
    assert "cannot be done in the admin" in refused.content.decode()
    client = Client()
    client.force_login(cast.alice)
    assert client.get("/admin/nothing/").status_code == 302
    assert root.get("/api/nothing").json()["type"] == "urn:ems:problem:not_found"
