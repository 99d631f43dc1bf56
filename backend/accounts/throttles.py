"""Limits on guessing passwords, codes and links. Only failures count, and every count ends with its window.

Three counters, in Redis, for every process together (the numbers are `settings.GUESSES`):

- an account at one address: who guesses is stopped, the owner elsewhere is not;
- an address, over everything that can be guessed there: for one who tries many accounts, or many links;
- an account from anywhere, against guessing from many addresses at once: it stops strange addresses only. Where the
  account has logged in within the life of a session the owner still gets in, so nobody is locked out for ever.

An account's counters hang on its password: a new one, by reset or by an admin, lifts its locks.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest
from rest_framework.exceptions import AuthenticationFailed, ErrorDetail, NotFound, PermissionDenied, Throttled
from rest_framework.request import Request

from accounts.models import LoginSession, User
from config.addresses import client_address, network_of
from config.redis import client
from ems_contract import keys


class TooManyGuesses(Throttled):
    """429 with `Retry-After`, in s."""

    def __init__(self, wait: float) -> None:
        seconds = max(1, math.ceil(wait))
        super().__init__(seconds)
        unit, number = ("minute", math.ceil(seconds / 60)) if seconds > 90 else ("second", seconds)
        words = f"Too many wrong attempts. Try again in {number} {unit}{'s' if number > 1 else ''}."
        self.detail = ErrorDetail(words, self.default_code)


@dataclass(frozen=True)
class Limit:
    """`failures` in `window` s, counted from the first."""

    failures: int
    window: int


def limit(name: str) -> Limit:
    """`pair`, `account`, `address` or `mails`."""
    return Limit(*settings.GUESSES[name])


class Counter:
    """One number that ends by itself. Counting is atomic, so guesses that come together are all counted."""

    def __init__(self, name: str, subject: str) -> None:
        self.limit = limit(name)
        self._key = keys.failures(name, hashlib.sha256(subject.encode()).hexdigest())

    def wait(self) -> float:
        """How long nothing more is let through, in s; 0 while there is room. A lock is not made longer by trying."""
        pipeline = client().pipeline()
        pipeline.get(self._key)
        pipeline.pttl(self._key)
        count, left = pipeline.execute()
        return max(left, 0) / 1000 if int(count or 0) >= self.limit.failures else 0.0

    def add(self) -> None:
        pipeline = client().pipeline()  # one transaction: no count without an end
        pipeline.set(self._key, 0, ex=self.limit.window, nx=True)
        pipeline.incr(self._key)
        pipeline.execute()

    def clear(self) -> None:
        client().delete(self._key)


class Guesses:
    """The tries of one caller at one kind of secret: `password`, `code` or `link`.

    `account` is the name that was tried, `user` whom it belongs to, if anyone: both answer alike.
    """

    def __init__(self, request: HttpRequest | Request, kind: str, account: str = "", user: User | None = None) -> None:
        self._address = client_address(request)
        self._user = user
        self._everything = Counter("address", network_of(self._address))
        self._account: Counter | None = None
        self._pair: Counter | None = None
        if account:
            subject = f"{kind} {account} {user.password if user else ''}"
            self._account = Counter("account", subject)
            self._pair = Counter("pair", f"{network_of(self._address)} {subject}")

    def check(self) -> None:
        """Before the secret is looked at. Raises TooManyGuesses."""
        wait = self._everything.wait()
        if self._pair is not None and self._account is not None:
            wait = max(wait, self._pair.wait())
            everywhere = self._account.wait()
            if everywhere > wait and not self._familiar():
                wait = everywhere
        if wait > 0:
            raise TooManyGuesses(wait)

    def failed(self) -> None:
        for counter in (self._everything, self._account, self._pair):
            if counter is not None:
                counter.add()

    def succeeded(self) -> None:
        """Whoever knows the secret was only mistaken before. The other two counters stay: a stranger fills them."""
        if self._pair is not None:
            self._pair.clear()

    def _familiar(self) -> bool:
        if self._user is None or self._address is None:
            return False
        return LoginSession.objects.filter(user=self._user, address=self._address).exists()


@contextmanager
def link_guesses(request: HttpRequest | Request) -> Iterator[None]:
    """Around an endpoint that takes the secret of a link: what it refuses is counted for the address.

    Raises TooManyGuesses at the limit, and whatever the block raises.
    """
    guesses = Guesses(request, "link")
    guesses.check()
    try:
        yield
    except (AuthenticationFailed, PermissionDenied, NotFound, Http404):
        guesses.failed()
        raise


def check_mails(request: HttpRequest | Request) -> None:
    """Each request for an e-mail counts, whoever it is for. Raises TooManyGuesses."""
    mails = Counter("mails", network_of(client_address(request)))
    wait = mails.wait()
    if wait > 0:
        raise TooManyGuesses(wait)
    mails.add()
