"""`manage.py edge_key create --edge N` and `manage.py edge_key revoke --prefix P`."""

from __future__ import annotations

from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.problems import Conflict
from sites.actions.edge_keys import do_create_key, do_revoke_key
from sites.models import Edge, EdgeKey


class Command(BaseCommand):
    help = "Creates an edge's API key and prints it once, or revokes one."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a key and print it once")
        create.add_argument("--edge", type=int, required=True, help="the edge's id: 3 for edge_3")
        revoke = verbs.add_parser("revoke", help="refuse a key from now on and end its connections")
        revoke.add_argument("--prefix", required=True, help="the part between ems_ and the second _")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "create":
            edge = Edge.objects.select_related("site").filter(pk=options["edge"]).first()
            if edge is None:
                raise CommandError(f"There is no edge_{options['edge']}. /admin/sites/edge/ lists them.")
            try:
                self.stdout.write(do_create_key(edge)[1])
            except Conflict as refused:
                raise CommandError(str(refused.detail)) from None
            return
        key = EdgeKey.objects.filter(prefix=options["prefix"]).first()
        if key is None:
            raise CommandError(f"There is no key with the prefix {options['prefix']!r}.")
        try:
            do_revoke_key(key)
        except redis.RedisError as error:
            raise CommandError("Redis does not answer, so the key is NOT revoked. Try again when it does.") from error
        self.stdout.write(f"revoked {key.prefix}")
