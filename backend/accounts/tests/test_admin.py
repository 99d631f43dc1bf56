"""/admin/: platform admins only, and every model is there."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client

from accounts.models import User
from testing.cast import Cast, edge_kit

OURS = ("accounts", "sites", "audit")


@pytest.mark.parametrize("name", ["alice", "bob", "max", "charlie", "dev"])
def test_nobody_but_a_platform_admin_enters(cast: Cast, name: str) -> None:
    client = Client()
    client.force_login(cast.everyone()[name])
    answer = client.get("/admin/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


@pytest.fixture
def root(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.root)
    return client


def test_every_list_and_form_opens(root: Client, cast: Cast) -> None:
    edge_kit(cast.own)
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label not in OURS:
            continue
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert root.get(base, follow=True).status_code == 200
        row = model._default_manager.first()
        if row is not None:
            assert root.get(f"{base}{row.pk}/change/").status_code == 200
        if model_admin.has_add_permission(root.get(base).wsgi_request):
            assert root.get(f"{base}add/").status_code == 200


def test_every_model_is_registered(db: None) -> None:
    models = {model for app in OURS for model in apps.get_app_config(app).get_models()}
    # Machinery of the product: what waits for the worker, and what only a hash is kept of.
    hidden = {"SetupToken", "PasswordReset", "EdgeChange", "SiteRemoval", "Person", "Seal", "Unsealed", "Flood"}
    assert {model.__name__ for model in models - set(admin.site._registry)} == hidden


def test_a_new_user_is_made_with_a_password(root: Client) -> None:
    phrase = "a long enough phrase"
    answer = root.post(
        "/admin/accounts/user/add/",
        {
            "email": "New@Example.com",
            "name": "New",
            "password1": phrase,
            "password2": phrase,
            "usable_password": "true",
        },
    )
    assert answer.status_code == 302, answer.context["errors"]
    assert User.objects.get(email="new@example.com").check_password(phrase)
