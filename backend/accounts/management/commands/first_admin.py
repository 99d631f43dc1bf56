"""`manage.py first_admin`: print the one-time link that creates the first platform admin."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actions import setup


class Command(BaseCommand):
    help = "Prints a one-time link, valid for 24 hours, that creates the first platform admin."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(setup.do_make_link())
        except setup.AlreadySetUp as error:
            raise CommandError("There are users already: log in, or make another admin in /admin/.") from error
