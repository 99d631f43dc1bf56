"""`manage.py second_factor_off EMAIL`: for who has lost the authenticator and the recovery codes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import two_factor
from accounts.actions.two_factor import do_disable
from accounts.models import User


class Command(BaseCommand):
    help = "Turns the second factor of an account off. Make sure first who asks for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        email = str(options["email"]).strip().lower()
        user = User.objects.filter(email=email).first()
        if user is None or not two_factor.enabled(user):
            raise CommandError(f"{email} has no second factor.")
        do_disable(user)
        self.stdout.write(f"{email} logs in with the password alone now.")
