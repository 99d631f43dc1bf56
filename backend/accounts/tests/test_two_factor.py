"""The second factor: set up, asked for at a login, used up, taken away."""

from __future__ import annotations

import base64
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import two_factor
from accounts.models import SystemSettings, User
from accounts.tests.codes import code_of, give_second_factor
from audit.models import AuditEvent
from testing.cast import Cast, ClientOf

URL = "/api/auth/two-factor"


def login(cast: Cast, user: User, code: str | None = None, address: str = "198.51.100.7") -> Any:
    body = {"email": user.email, "password": cast.password, **({} if code is None else {"code": code})}
    return APIClient(REMOTE_ADDR=address).post("/api/auth/login", body, format="json")


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def set_up(client: APIClient, user: User, password: str) -> list[str]:
    client.post(URL)
    answer = client.post(f"{URL}/confirm", {"code": code_of(user), "password": password}, format="json")
    codes: list[str] = answer.json()["recovery_codes"]
    return codes


def test_the_set_up_shows_the_secret_as_text_address_and_picture(cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.alice).post(URL)
    body = answer.json()
    assert answer["Cache-Control"] == "no-store"
    device = TOTPDevice.objects.get(user=cast.alice)
    assert base64.b32decode(body["secret"]) == device.bin_key
    assert body["uri"].startswith("otpauth://totp/SimTestLab%20EMS")
    assert body["qr"].startswith("<svg")
    assert "script" not in body["qr"]


def test_it_counts_only_when_a_code_has_confirmed_it(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    client.post(URL)
    assert client.get(URL).json() == {"enabled": False, "required": False, "recovery_codes_left": 0}
    assert login(cast, cast.alice).status_code == 200
    wrong = client.post(f"{URL}/confirm", {"code": "000000", "password": cast.password}, format="json")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "code")
    right = client.post(f"{URL}/confirm", {"code": code_of(cast.alice), "password": cast.password}, format="json")
    assert len(set(right.json()["recovery_codes"])) == 10
    assert client.get(URL).json() == {"enabled": True, "required": False, "recovery_codes_left": 10}
    assert client.get("/api/auth/me").json()["two_factor"] is True


def test_a_session_alone_turns_nothing_on(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    client.post(URL)
    for password in ("", "not the password"):
        answer = client.post(f"{URL}/confirm", {"code": code_of(cast.alice), "password": password}, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "password")
    assert client.get(URL).json()["enabled"] is False


def test_without_a_start_there_is_nothing_to_confirm(cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.alice).post(f"{URL}/confirm", {"code": "123456", "password": cast.password}, format="json")
    assert problem(answer) == (409, "not_started")


def test_one_that_is_on_is_not_replaced(cast: Cast, client_of: ClientOf) -> None:
    give_second_factor(cast.alice)
    assert problem(client_of(cast.alice).post(URL)) == (409, "enabled")
    assert TOTPDevice.objects.count() == 1


def test_a_login_asks_for_the_code_after_the_password_was_right(cast: Cast) -> None:
    give_second_factor(cast.alice)
    answer = login(cast, cast.alice)
    assert problem(answer) == (401, "code_needed")
    assert "ems_refresh" not in answer.cookies
    assert "access" not in answer.json()
    accepted = login(cast, cast.alice, code_of(cast.alice))
    assert (accepted.status_code, accepted.json()["user"]["two_factor"]) == (200, True)


def test_a_wrong_password_says_nothing_of_a_second_factor(cast: Cast) -> None:
    give_second_factor(cast.alice)
    body = {"email": cast.alice.email, "password": "wrong", "code": code_of(cast.alice)}
    answer = APIClient().post("/api/auth/login", body, format="json")
    assert problem(answer) == (401, "wrong_login")


def test_a_code_is_good_once(cast: Cast) -> None:
    give_second_factor(cast.alice)
    code = code_of(cast.alice)
    assert login(cast, cast.alice, code).status_code == 200
    assert problem(login(cast, cast.alice, code)) == (401, "wrong_code")
    assert login(cast, cast.alice, code_of(cast.alice, steps_ahead=1)).status_code == 200


def test_the_code_of_someone_else_is_wrong_and_that_is_audited(cast: Cast) -> None:
    give_second_factor(cast.alice)
    give_second_factor(cast.bob)
    assert problem(login(cast, cast.alice, code_of(cast.bob))) == (401, "wrong_code")
    event = AuditEvent.objects.get(action="two_factor.failed")
    assert (event.actor_id, event.outcome) == (cast.alice.pk, "denied")


@pytest.mark.parametrize(
    "code", ["000000", "12345", "1234567", "abcdef", "１２３４５６", "+12345", "0x1234", "'; --", " "]
)
def test_junk_is_no_code(cast: Cast, code: str) -> None:
    give_second_factor(cast.alice)
    assert login(cast, cast.alice, code).status_code == 401


def test_a_code_may_be_typed_with_a_space(cast: Cast) -> None:
    give_second_factor(cast.alice)
    code = code_of(cast.alice)
    assert login(cast, cast.alice, f"{code[:3]} {code[3:]}").status_code == 200


def test_a_recovery_code_works_once_and_is_not_readable_in_the_database(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    first, second, *_ = set_up(client, cast.alice, cast.password)
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert not stored & {first, first.replace("-", "")}
    assert login(cast, cast.alice, first).status_code == 200
    assert problem(login(cast, cast.alice, first)) == (401, "wrong_code")
    assert login(cast, cast.alice, second.replace("-", "").upper()).status_code == 200
    assert client.get(URL).json()["recovery_codes_left"] == 8


def test_guessing_codes_is_stopped_and_ends_by_itself(cast: Cast, settings: Settings) -> None:
    settings.GUESSES = {**settings.GUESSES, "pair": (3, 900)}
    give_second_factor(cast.alice)
    answers = [login(cast, cast.alice, f"00000{guess}").status_code for guess in range(4)]
    assert answers == [401, 401, 401, 429]
    assert login(cast, cast.alice, code_of(cast.alice)).status_code == 429
    elsewhere = login(cast, cast.alice, code_of(cast.alice), address="203.0.113.9")
    assert elsewhere.status_code == 200


def test_codes_that_were_guessed_wrong_lock_the_authenticator_for_no_time_of_their_own(cast: Cast) -> None:
    """django-otp would double the wait with each, to years."""
    give_second_factor(cast.alice)
    for guess in range(9):
        login(cast, cast.alice, f"00000{guess}")
    assert login(cast, cast.alice, code_of(cast.alice)).status_code == 200


@pytest.mark.parametrize("proof", ["password", "code"])
def test_it_is_turned_off_with_the_password_or_a_code(cast: Cast, client_of: ClientOf, proof: str) -> None:
    client = client_of(cast.alice)
    set_up(client, cast.alice, cast.password)
    value = cast.password if proof == "password" else code_of(cast.alice, steps_ahead=1)
    assert client.delete(URL, {proof: value}, format="json").status_code == 204
    assert client.get(URL).json() == {"enabled": False, "required": False, "recovery_codes_left": 0}
    assert login(cast, cast.alice).status_code == 200


@pytest.mark.parametrize(
    ("proof", "status"), [({}, 400), ({"password": "wrong"}, 400), ({"code": "000000"}, 401), ({"pin": "1"}, 400)]
)
def test_nobody_else_turns_it_off(cast: Cast, client_of: ClientOf, proof: dict[str, str], status: int) -> None:
    give_second_factor(cast.alice)
    client = client_of(cast.alice)
    assert client.delete(URL, proof, format="json").status_code == status
    assert two_factor.enabled(cast.alice)


def test_who_has_lost_everything_is_helped_by_a_command(cast: Cast) -> None:
    give_second_factor(cast.alice)
    call_command("second_factor_off", " Alice@example.com", stdout=StringIO())
    assert login(cast, cast.alice).status_code == 200
    assert AuditEvent.objects.filter(action="two_factor.disabled").count() == 1
    with pytest.raises(CommandError, match="has no second factor"):
        call_command("second_factor_off", "alice@example.com")


@pytest.fixture
def required(cast: Cast) -> Cast:
    SystemSettings(require_two_factor=True).save()
    return cast


def test_where_it_is_required_a_platform_admin_without_one_reaches_the_set_up_only(
    required: Cast, client_of: ClientOf
) -> None:
    client = client_of(required.root)
    for address in ("/api/sites", "/api/organizations", "/api/users", "/api/validate-token", "/api/auth/sessions"):
        assert problem(client.get(address)) == (403, "two_factor_needed")
    assert client.get("/api/auth/me").json()["platform_admin"] is True
    assert client.get(URL).json() == {"enabled": False, "required": True, "recovery_codes_left": 0}
    set_up(client, required.root, required.password)
    assert client.get("/api/organizations").status_code == 200
    assert client.get(URL).json()["required"] is False


def test_where_it_is_required_everyone_else_may_do_without(required: Cast, client_of: ClientOf) -> None:
    for user in (required.alice, required.bob, required.dev):
        assert client_of(user).get("/api/sites").status_code == 200
