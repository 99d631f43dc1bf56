"""The rows that the targets of the table stand for, and the credentials of its actors. Made once for all cells."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken as AccessJwt
from rest_framework_simplejwt.tokens import RefreshToken

from accounts import access_tokens, tokens
from accounts.models import AccessToken, LoginSession, Membership, Organization, User
from accounts.policy import Role
from commands.actions.commands import do_request
from config.secret_hash import hash_secret
from ems_contract.tokens import format_access_token
from invitations.models import Invitation, InvitedSite
from sites.models import Edge, Point, Site, SiteAccess
from testing.cast import Cast, EdgeKit, edge_kit
from testing.matrix.grid import ALONE

NOWHERE = 999_999_999
_NOBODYS: dict[str, str] = {
    "command": "00000000-0000-4000-8000-000000000000",
    "session": "00000000-0000-4000-8000-000000000000",
    "email": "nobody@nowhere.example",
    "newcomer_email": "nobody@nowhere.example",
    "point_key": "no_device.no_point",
}

Ids = Mapping[str, int | str]
"""What it is -> its id: `{"site": 7, "edge": 3, ...}`."""


@dataclass(frozen=True)
class Actor:
    """`bearer` and `refresh` are credentials; empty where the actor has none. `ids`: the actor's own rows."""

    name: str
    bearer: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)
    ids: Ids = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """`targets[target][what]` is an id. The target `oneself` is the actor's own, `nonexistent` nobody's."""

    cast: Cast
    actors: Mapping[str, Actor]
    targets: Mapping[str, Ids]

    def id_of(self, what: str, target: str, actor: Actor) -> int | str:
        """Raises KeyError if there is no such thing on the scene: the table asks for what was not made."""
        if target == "nonexistent":
            return _NOBODYS.get(what, NOWHERE)
        if target == "oneself" and what in actor.ids:
            return actor.ids[what]
        ids = self.targets["own" if target in {ALONE, "oneself"} else target]
        if what not in ids and target in {"shared", "peer", "service"}:
            ids = self.targets["own"]  # such a target is one thing only; around it everything is the own
        return ids[what]

    def fill(self, value: Any, target: str, actor: Actor) -> Any:
        """Replace the texts `{what}` and `{own.what}` by ids, also inside lists and objects."""
        if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
            place, _, what = value[1:-1].rpartition(".")
            return self.id_of(what, place or target, actor)
        if isinstance(value, Mapping):
            return {key: self.fill(each, target, actor) for key, each in value.items()}
        return [self.fill(each, target, actor) for each in value] if isinstance(value, list) else value


def make_scene(cast: Cast) -> Scene:
    actors = _actors(cast, edge_kit(cast.own).text)
    targets = {
        "own": {
            **_place(cast.own, "nina", cast.alice),
            "password": cast.password,
            "tomorrow": (timezone.now() + timedelta(days=1)).isoformat(),
            "stranger": _person("stella").pk,
            "sandbox": _sandbox("Trial", cast.dev),
        },
        "other": _place(cast.other, "otto", cast.alice),
        "foreign": {
            **_place(cast.foreign, "fritz", cast.charlie),
            "sandbox": _sandbox("Another", _person("dora", is_developer=True)),
        },
        "peer": _peer(cast),
        "shared": _shared(cast),
        "real": {"sandbox": cast.alpha.pk},
    }
    return Scene(cast, actors, targets)


def _sandbox(name: str, creator: User) -> int:
    """The creator's membership is no actor's own row: an actor's `membership` is in an organization of the cast."""
    sandbox = Organization.objects.create(name=f"{name} (sandbox)", is_sandbox=True)
    Membership.objects.create(user=creator, organization=sandbox, role=Membership.Role.ORG_ADMIN)
    return sandbox.pk


def _place(site: Site, name: str, inviter: User) -> Ids:
    """One of everything at a site and in its organization; the person is a member and a viewer there."""
    kit = edge_kit(site, f"{name}_meter")
    person = _person(name)
    membership = Membership.objects.create(user=person, organization=site.organization)
    access = SiteAccess.objects.create(user=person, site=site, role=Role.VIEWER)
    newcomer = _person(f"newcomer.{name}")
    Membership.objects.create(user=newcomer, organization=site.organization)
    invitation, token = _invitation(site, inviter)
    setpoint = _setpoint(kit, f"{name}_meter.setpoint")
    return {
        "site": site.pk,
        "organization": site.organization_id,
        "asset": kit.device.asset_id or 0,
        "edge": kit.edge.pk,
        "keyless_edge": Edge.objects.create(site=site, name="Spare").pk,
        "edge_key": kit.key.pk,
        "device": kit.device.pk,
        "point": kit.point.pk,
        "point_key": kit.point.key,
        "setpoint": setpoint.pk,
        "command": str(do_request(person, site, setpoint, 1.0)[0].uid),
        "loose_point": Point.objects.create(site=site, key=f"{name}.loose").pk,
        "user": person.pk,
        "email": person.email,
        "membership": membership.pk,
        "site_access": access.pk,
        "newcomer": newcomer.pk,
        "newcomer_email": newcomer.email,
        "invitation": invitation.pk,
        "invitation_token": token,
        "access_token": _token(person, organization=site.organization)[0].pk,
        "session": str(LoginSession.objects.create(user=person, expires=timezone.now() + timedelta(days=1)).pk),
    }


def _setpoint(kit: EdgeKit, key: str) -> Point:
    """One that can be written, and goes back to 0."""
    return Point.objects.create(
        site=kit.edge.site, device=kit.device, key=key, name="Setpoint", writable=True, adopted=True, default=0.0
    )


def _peer(cast: Cast) -> Ids:
    """Another site manager of the own site: whom a site manager cannot change."""
    peer = _person("petra")
    membership = Membership.objects.create(user=peer, organization=cast.alpha)
    access = SiteAccess.objects.create(user=peer, site=cast.own, role=Role.SITE_MANAGER)
    return {"user": peer.pk, "membership": membership.pk, "site_access": access.pk}


def _shared(cast: Cast) -> Ids:
    """A person of two organizations, whose account neither org admin may change."""
    both = _person("sven")
    membership = Membership.objects.create(user=both, organization=cast.alpha)
    Membership.objects.create(user=both, organization=cast.beta)
    return {"user": both.pk, "email": both.email, "membership": membership.pk}


def _invitation(site: Site, inviter: User) -> tuple[Invitation, str]:
    """One that was sent, and the token of its link."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=site.organization,
        email=f"invited.{inviter.pk}.{site.slug}@example.com",
        invited_by=inviter,
        token_hash=hash_secret(token),
        expires=timezone.now() + timedelta(days=1),
        sent=timezone.now(),
    )
    InvitedSite.objects.create(invitation=invitation, site=site, role=Role.VIEWER)
    return invitation, token


def _person(name: str, **flags: Any) -> User:
    return User.objects.create_user(f"{name}@example.com", name=name.title(), **flags)


def _token(user: User, organization: Organization | None = None, **limits: Any) -> tuple[AccessToken, str]:
    parts = access_tokens.generate(user.pk)
    row = AccessToken.objects.create(
        user=user,
        organization=organization,
        name="Integration",
        prefix=parts.prefix,
        secret_hash=hash_secret(parts.secret),
        expires=timezone.now() + timedelta(hours=1),
        **limits,
    )
    return row, format_access_token(parts)


def _actors(cast: Cast, edge_key: str) -> dict[str, Actor]:
    people = {
        "viewer": cast.bob,
        "operator": cast.olga,
        "manager": cast.max,
        "org_admin": cast.alice,
        "platform": cast.root,
        "developer": cast.dev,
    }
    actors = {name: _person_actor(name, user) for name, user in people.items()}
    revoked = _person("renate")
    Membership.objects.create(user=revoked, organization=cast.alpha, role=Membership.Role.ORG_ADMIN)
    actors["manager"] = replace(
        actors["manager"], ids={**actors["manager"].ids, "invitation": _invitation(cast.own, cast.max)[0].pk}
    )
    actors["revoked"] = _person_actor("revoked", revoked)
    revoked.is_active = False
    revoked.save()
    return {
        **actors,
        "anonymous": Actor("anonymous"),
        "edge_key": Actor("edge_key", bearer=edge_key),
        "token": Actor("token", bearer=_token(cast.alice, sites=[cast.own.pk])[1], ids={"user": cast.alice.pk}),
        "expired": _expired(actors["platform"]),
    }


def _person_actor(name: str, user: User) -> Actor:
    issued = tokens.start(user)
    ids: dict[str, int | str] = {"user": user.pk, "email": user.email}
    membership = user.memberships.first()
    if membership is not None:
        ids["membership"] = membership.pk
    ids["access_token"] = _token(user)[0].pk
    ids["session"] = str(LoginSession.objects.create(user=user, expires=timezone.now() + timedelta(days=1)).pk)
    return Actor(name, issued.access, issued.refresh or "", ids)


def _expired(actor: Actor) -> Actor:
    """The same credentials, an hour after their end."""
    access, refresh = AccessJwt(actor.bearer), RefreshToken(actor.refresh)  # type: ignore[arg-type]
    for token in (access, refresh):
        token.set_exp(lifetime=-timedelta(hours=1))
    return Actor("expired", str(access), str(refresh), actor.ids)
