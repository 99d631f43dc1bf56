"""The hostile cases of the admin, each named by its sentence."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

import audit
from accounts import tokens
from accounts.models import Membership, Organization, User
from audit.models import AuditEvent
from config.admin_operations import OperationsAdmin
from config.tests.test_start import PRODUCTION, manage
from sites.models import Edge, EdgeKey, Site
from testing.cast import Cast, edge_kit

HTML = '<script>alert(1)</script><img src=x onerror="alert(2)">'


@pytest.fixture
def root(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.root)
    return client


def every_address(cast: Cast) -> list[str]:
    """Every list, form and page of ours in the admin, of what there is."""
    found = ["/admin/", f"/admin/sites/site/{cast.own.pk}/who/", f"/admin/accounts/user/{cast.bob.pk}/sees/"]
    for model, page in admin.site._registry.items():
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        found += [base, f"{base}add/"]
        row = model._default_manager.first()
        if row is None:
            continue
        found.append(f"{base}{row.pk}/change/")
        if isinstance(page, OperationsAdmin):
            found += [page.operation_url(one, [row]) for one in page.operations]
    return found


# The admin as a non-superuser ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "max", "olga", "bob", "charlie", "dev"])
def test_nobody_but_a_platform_admin_sees_any_page_of_the_admin(cast: Cast, name: str) -> None:
    client = Client()
    client.force_login(cast.everyone()[name])
    edge_kit(cast.own)
    for address in every_address(cast):
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/admin/login/"), address


def test_a_platform_admin_who_is_one_no_more_is_out_at_the_next_request(cast: Cast, root: Client) -> None:
    assert root.get("/admin/").status_code == 200
    User.objects.filter(pk=cast.root.pk).update(is_superuser=False)
    assert root.get("/admin/").status_code == 302


def test_a_disabled_platform_admin_is_out_at_the_next_request(cast: Cast, root: Client) -> None:
    User.objects.filter(pk=cast.root.pk).update(is_active=False)
    assert root.get("/admin/").status_code == 302


def test_an_org_admin_changes_nothing_by_posting_to_an_operation(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.alice)
    client.post(f"/admin/accounts/organization/do/suspend/?id={cast.beta.pk}", {})
    cast.beta.refresh_from_db()
    assert cast.beta.suspended is None


def test_a_post_from_another_origin_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.root)
    assert client.post(f"/admin/accounts/organization/do/suspend/?id={cast.beta.pk}", {}).status_code == 403
    cast.beta.refresh_from_db()
    assert cast.beta.suspended is None


def test_the_login_page_sends_nobody_to_another_site(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.root)
    answer = client.get("/admin/login/?next=https://evil.example/")
    assert answer["Location"] == "/admin/"


# What the browser may run -------------------------------------------------------------------------------------------


def test_no_page_of_the_admin_allows_or_holds_an_inline_script(cast: Cast, root: Client) -> None:
    edge_kit(cast.own)
    for address in every_address(cast):
        answer = root.get(address, follow=True)
        assert answer.status_code in (200, 403), address  # 403: what cannot be added has no form
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        text = answer.content.decode()
        assert re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text) == [], address
        assert re.findall(r"<[^>]*\son[a-z]+=", text) == [], address
        assert re.findall(r"<style", text) == [], address


def test_the_login_page_holds_no_inline_script(db: None) -> None:
    answer = Client().get("/admin/login/")
    assert answer.status_code == 200
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)", answer.content.decode()) == []


def test_html_in_a_name_is_inert_on_every_page(cast: Cast, root: Client) -> None:
    kit = edge_kit(cast.own)
    Organization.objects.filter(pk=cast.alpha.pk).update(name=HTML)
    Site.objects.filter(pk=cast.own.pk).update(name=HTML, address=HTML)
    Edge.objects.filter(pk=kit.edge.pk).update(name=HTML, software=HTML)
    User.objects.filter(pk=cast.bob.pk).update(name=HTML)
    for row in (kit.device, kit.point, kit.point.asset):
        assert row is not None
        type(row)._default_manager.filter(pk=row.pk).update(name=HTML)
    audit.record("test.happened", actor=HTML, target=HTML, before={"name": HTML}, after={HTML: HTML}, note=HTML)
    event = AuditEvent.objects.get(action="test.happened")
    addresses = [*every_address(cast), f"/admin/audit/auditevent/{event.pk}/change/", f"/admin/sites/site/?q={HTML}"]
    shown = 0
    for address in addresses:
        text = root.get(address, follow=True).content.decode()
        assert "<script>alert" not in text, address
        assert "<img src=x" not in text, address
        shown += "&lt;script&gt;alert" in text
    assert shown > 10


# What it never shows, and never changes -----------------------------------------------------------------------------


def test_an_audit_row_in_the_admin_cannot_be_changed_added_or_deleted(cast: Cast, root: Client) -> None:
    audit.record("test.happened")
    event = AuditEvent.objects.get(action="test.happened")
    base = f"/admin/audit/auditevent/{event.pk}"
    page = root.get(f"{base}/change/")
    assert page.status_code == 200
    assert "_save" not in page.content.decode()
    assert root.post(f"{base}/change/", {"action": "test.forged"}).status_code == 403
    assert root.post(f"{base}/delete/", {"post": "yes"}).status_code == 403
    assert root.post("/admin/audit/auditevent/add/", {"action": "test.forged"}).status_code == 403
    root.post("/admin/audit/auditevent/", {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"})
    event.refresh_from_db()
    assert event.action == "test.happened"


def test_no_page_shows_a_hash_of_a_secret(cast: Cast, root: Client) -> None:
    kit = edge_kit(cast.own)
    hashes = [kit.key.secret_hash, cast.bob.password, cast.root.password]
    addresses = [*every_address(cast), f"/admin/accounts/user/{cast.bob.pk}/change/"]
    addresses.append(f"/admin/sites/edgekey/{kit.key.pk}/change/")
    for address in addresses:
        text = root.get(address, follow=True).content.decode()
        for secret in (*hashes, kit.text):
            assert secret not in text, address


def test_an_edge_key_is_shown_once_and_kept_by_no_message_and_no_cache(cast: Cast, root: Client) -> None:
    edge = Edge.objects.create(site=cast.own, name="Edge")
    address = f"/admin/sites/edge/do/create-key/?id={edge.pk}"
    assert not EdgeKey.objects.filter(edge=edge).exists()
    assert root.get(address).status_code == 200
    assert not EdgeKey.objects.filter(edge=edge).exists()  # asking does nothing
    answer = root.post(address, {})
    text = f"ems_{edge.keys.get().prefix}_"
    assert text in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    for page in (address, "/admin/sites/edgekey/", f"/admin/sites/edge/{edge.pk}/change/"):
        assert text not in root.get(page).content.decode()


def test_the_rules_hold_in_the_admin_too(cast: Cast, root: Client) -> None:
    """The last platform admin stays one, and the last org admin of an organization too."""
    root.post(
        f"/admin/accounts/user/{cast.root.pk}/change/",
        {"email": cast.root.email, "name": "Root", **_no_rows("memberships", "site_accesses")},
    )
    cast.root.refresh_from_db()
    assert cast.root.is_active
    assert cast.root.is_superuser
    membership = Membership.objects.get(user=cast.alice)
    answer = root.post(f"/admin/accounts/membership/{membership.pk}/change/", {"role": "member"}, follow=True)
    assert "last org admin" in answer.content.decode()
    root.post(f"/admin/accounts/membership/{membership.pk}/delete/", {"post": "yes"})
    membership.refresh_from_db()
    assert membership.role == "org_admin"


def _no_rows(*prefixes: str) -> dict[str, int]:
    return {f"{prefix}-{name}": 0 for prefix in prefixes for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


@pytest.mark.parametrize("model", ["accounts_user", "accounts_organization", "sites_edgekey", "accounts_loginsession"])
def test_what_must_stay_known_cannot_be_deleted_in_the_admin(cast: Cast, root: Client, model: str) -> None:
    edge_kit(cast.own)
    tokens.start(cast.bob)
    app, _, name = model.partition("_")
    row = apps.get_model(app, name)._default_manager.first()
    assert row is not None
    assert root.post(reverse(f"admin:{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("ids", ["id=1;drop", "id=", "id=999999999", "id=" + "9" * 39, "", "id=%00", "id=a&id=b"])
def test_an_operation_on_nothing_is_not_found(cast: Cast, root: Client, ids: str) -> None:
    assert root.post(f"/admin/accounts/organization/do/suspend/?{ids}", {}).status_code == 404
    assert not Organization.objects.exclude(suspended=None).exists()


# How the process starts ---------------------------------------------------------------------------------------------


def test_check_deploy_is_clean_with_production_settings() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "") for name in PRODUCTION if name != "EMS_ENV"),
        ("EMS_SECRET_KEY", "changeme"),
        ("EMS_SECRET_KEY", "django-insecure-" + "x7Zq8Lm0Rt5Wv1Yb2Nc4" * 3),
        ("EMS_SECRET_KEY", "a" * 80),
        ("EMS_DEBUG", "1"),
    ],
)
def test_a_production_start_is_refused_with_default_secrets_or_debug_naming_the_variable(name: str, value: str) -> None:
    done = manage("check", **{name: value})
    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert not value or len(value) < 5 or value not in done.stderr
