"""The admin shows commands and what rules did, and changes nothing of them."""

from __future__ import annotations

from django.test import Client
from django.utils import timezone

from commands.models import Command, ControlEvent
from testing.cast import Cast


def test_commands_and_control_events_are_shown_and_not_touched(cast: Cast, command: Command) -> None:
    event = ControlEvent.objects.create(
        site=cast.own, event="e", rule="<b>rule</b>", point_key="a.b", action="failed", at=timezone.now()
    )
    browser = Client()
    browser.force_login(cast.root)
    assert b"in the last 24 h" in browser.get("/admin/").content
    for model, row, shown in (("command", command, b"battery.active_power"), ("controlevent", event, b"&lt;b&gt;rule")):
        for page in ("", f"{row.pk}/change/"):
            answer = browser.get(f"/admin/commands/{model}/{page}")
            assert answer.status_code == 200
            assert shown in answer.content
            assert b"<b>rule" not in answer.content
        assert browser.post(f"/admin/commands/{model}/{row.pk}/change/", {}).status_code == 403
        assert browser.post(f"/admin/commands/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert browser.post(f"/admin/commands/{model}/add/", {}).status_code == 403
