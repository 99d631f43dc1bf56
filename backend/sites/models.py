"""Sites and what is on them. Every row carries its organization, and the database keeps it equal to its site's.

Load a site through a guarded door (`Site.objects.visible_to(user)`, `sites.doors.open_site`), never by id alone.
"""

from __future__ import annotations

from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone as clock

from accounts import policy
from accounts.access import Access, access_of
from accounts.models import Organization, User
from accounts.policy import SITE_ROLES
from config.guard import GuardedModel, GuardedQuerySet
from ems_contract.access import Action
from ems_contract.keys import edge_name, site_name
from ems_contract.points import MAX_KEY_LENGTH, UNITS, Kind
from sites.removals import SiteRemoval as SiteRemoval  # noqa: PLC0414 - re-exported
from sites.validators import check_connection, check_device_key, check_point_key, check_timezone


def check_same_site(site_id: int, **named: Asset | Device | None) -> None:
    """What a row refers to must be on its own site, or names of one tenant would be shown to another."""
    for field, row in named.items():
        if row is not None and row.site_id != site_id:
            raise ValidationError({field: f"This {field} belongs to another site; choose one of the same site."})


class SiteQuerySet(GuardedQuerySet["Site"]):
    def visible_to(self, who: User | Access, action: Action = Action.VIEW) -> Self:
        """The sites where the caller may do `action`: the one filter behind every door. Fails closed."""
        access = access_of(who)
        if not access.within(action):
            return self.opened("beyond the credential").none()
        if access.platform_admin:
            return self.opened("platform admin")
        granted = SiteAccess.objects.filter(user=access.user.pk, organization__in=access.organizations)
        roles = policy.site_roles(action)
        allowed = Q(pk__in=granted.filter(role__in=roles.everywhere).values("site"))
        if roles.where_allowed:
            allowed |= Q(operators_may_control=True, pk__in=granted.filter(role__in=roles.where_allowed).values("site"))
        if action in policy.MATRIX[policy.Role.ORG_ADMIN]:
            allowed |= Q(organization__in=access.administered)
        sites = self.opened("the caller's sites").filter(allowed, organization__in=access.organizations)
        limit = access.token.sites if access.token is not None else None
        return sites if limit is None else sites.filter(pk__in=limit)


class TenantQuerySet[M: TenantRow](GuardedQuerySet[M]):
    def visible_to(self, who: User | Access, action: Action = Action.VIEW) -> Self:
        """The rows of the sites where the caller may do `action`."""
        access = access_of(who)
        if access.platform_admin:
            return self.opened("platform admin")
        rows = self.opened("the caller's sites").filter(organization__in=access.organizations)
        return rows.filter(site__in=Site.objects.visible_to(access, action))


class Site(GuardedModel):
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="sites")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100)
    timezone = models.CharField(max_length=64, validators=[check_timezone])
    latitude = models.FloatField(validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(validators=[MinValueValidator(-180), MaxValueValidator(180)])
    address = models.CharField(max_length=300, blank=True)
    operators_may_control = models.BooleanField(default=False)
    created = models.DateTimeField(default=clock.now, editable=False)

    objects = SiteQuerySet.as_manager()

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=["organization", "slug"], name="site_slug_in_organization"),
            # What the tenant rows' composite foreign keys refer to.
            models.UniqueConstraint(fields=["id", "organization"], name="site_and_its_organization"),
            models.CheckConstraint(condition=Q(latitude__range=(-90, 90)), name="site_latitude"),
            models.CheckConstraint(condition=Q(longitude__range=(-180, 180)), name="site_longitude"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def wire_name(self) -> str:
        """`site_7`, as in channels and keys."""
        return site_name(self.pk)


class TenantRow(GuardedModel):
    """Something that belongs to a site, and so to its organization."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="%(class)ss")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.organization_id = self.site.organization_id
        super().save(*args, **kwargs)


class SiteAccess(TenantRow):
    """A user's role on one site. It counts only while the user is a member of the site's organization."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="accesses")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="site_accesses")
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in SITE_ROLES])

    class Meta:
        verbose_name_plural = "site accesses"
        constraints = (models.UniqueConstraint(fields=["user", "site"], name="one_role_per_site"),)

    def __str__(self) -> str:
        return f"{self.user} at {self.site}: {self.role}"


class Asset(TenantRow):
    """A node of the site's tree: a building, a solar array, a meter."""

    class Kind(models.TextChoices):
        BUILDING = "building"
        GRID_CONNECTION = "grid_connection"
        SOLAR_ARRAY = "solar_array"
        BATTERY = "battery"
        HVAC = "hvac"
        LOAD = "load"
        METER = "meter"
        SYSTEM = "system"

    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ("site_id", "id")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        node, seen = self.parent, {self.pk}
        while node is not None:
            if node.site_id != self.site_id:
                raise ValidationError({"parent": "The parent belongs to another site; choose one of this site."})
            if node.pk in seen:
                raise ValidationError({"parent": "An asset cannot be below itself."})
            seen.add(node.pk)
            node = node.parent


class Edge(TenantRow):
    """The controller on the site. `poll_interval` in s; a device may have its own.

    `derived`, `reporting` and `rules` are lists of the contract's DerivedPoint, ReportPolicy and ControlRule, as JSON.
    """

    name = models.CharField(max_length=200)
    poll_interval = models.FloatField(default=5.0, validators=[MinValueValidator(0.1), MaxValueValidator(3600)])
    derived = models.JSONField(default=list, blank=True)
    reporting = models.JSONField(default=list, blank=True)
    rules = models.JSONField(default=list, blank=True)
    config_revision = models.CharField(max_length=64, blank=True, default="", editable=False)
    """The configuration that the edge has told of last: it took it, or refused it because of `config_problem`."""
    config_problem = models.CharField(max_length=500, blank=True, default="", editable=False)
    config_at = models.DateTimeField(null=True, editable=False)
    software = models.CharField(max_length=100, blank=True, editable=False)
    last_session = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("site_id", "id")

    def __str__(self) -> str:
        return f"{self.name} ({self.wire_name})"

    @property
    def wire_name(self) -> str:
        """`edge_3`, as in channels and keys."""
        return edge_name(self.pk) if self.pk else "new edge"

    def clean(self) -> None:
        """Its keys, its streams and its history are its site's."""
        if self.pk and not Edge.objects.opened("this very row").filter(pk=self.pk, site_id=self.site_id).exists():
            raise ValidationError({"site": "An edge stays on its site; make a new one there, with a key of its own."})


class EdgeRow(TenantRow):
    """Something that belongs to an edge, and so to its site."""

    edge = models.ForeignKey(Edge, on_delete=models.CASCADE, related_name="%(class)ss")

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.site_id = self.edge.site_id
        super().save(*args, **kwargs)


class EdgeKey(EdgeRow):
    """An API key of an edge: `ems_<prefix>_<secret>`. Only a keyed hash of the secret is stored."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="edge_keys", editable=False)
    edge = models.ForeignKey(Edge, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    created = models.DateTimeField(default=clock.now, editable=False)
    last_used = models.DateTimeField(null=True, editable=False)
    last_session = models.CharField(max_length=200, blank=True, default="", editable=False)
    """Boot, address and software of the newest session: the audit log tells when one of them is another."""
    revoked = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("edge_id", "-created")

    def __str__(self) -> str:
        return f"key {self.prefix} of {self.edge}"

    def __repr__(self) -> str:
        return f"<EdgeKey {self.pk} {self.prefix}>"


class EdgeChange(models.Model):
    """The outbox of edges: a configuration has changed, or the key with the prefix `ended_key` has ended.

    Written by database triggers, in the transaction of the change. The worker tells Redis and deletes the row.
    """

    edge_id = models.BigIntegerField()
    ended_key = models.CharField(max_length=16, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"edge {self.edge_id}: {f'key {self.ended_key} ended' if self.ended_key else 'configuration changed'}"


class Device(EdgeRow):
    """An addressable protocol endpoint. `connection` is the driver's own; `profile` names a register map."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="devices", editable=False)
    asset = models.ForeignKey(Asset, on_delete=models.SET_NULL, null=True, blank=True, related_name="devices")
    key = models.CharField(max_length=40, validators=[check_device_key])
    name = models.CharField(max_length=200)
    driver = models.CharField(max_length=40)
    profile = models.CharField(max_length=80)
    connection = models.JSONField(default=dict, validators=[check_connection])
    poll_interval = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.1), MaxValueValidator(3600)]
    )

    class Meta:
        ordering = ("edge_id", "id")
        constraints = (models.UniqueConstraint(fields=["site", "key"], name="device_key_in_site"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    def clean(self) -> None:
        edge = getattr(self, "edge", None)  # missing in a form that names none
        if edge is None:
            return
        if self.pk and edge.site_id != self.site_id:
            raise ValidationError({"edge": "A device and its points stay on their site; choose an edge of the same."})
        check_same_site(edge.site_id, asset=self.asset)


class Point(TenantRow):
    """One typed signal. Its id comes from a sequence and is never used again, not even after a deletion.

    `adopted` is false for a key that arrived in a batch before any edge had reported it; the defaults are the
    database's own, so that such a row can be made from site, organization and key alone.
    """

    device = models.ForeignKey(Device, on_delete=models.SET_NULL, null=True, blank=True, related_name="points")
    asset = models.ForeignKey(Asset, on_delete=models.SET_NULL, null=True, blank=True, related_name="points")
    key = models.CharField(max_length=MAX_KEY_LENGTH, validators=[check_point_key])
    name = models.CharField(max_length=200, blank=True, db_default="")
    unit = models.CharField(max_length=10, blank=True, db_default="", choices=[(unit, unit) for unit in UNITS])
    kind = models.CharField(
        max_length=10, db_default=Kind.GAUGE.value, choices=[(kind.value, kind.value) for kind in Kind]
    )
    writable = models.BooleanField(db_default=False)
    minimum = models.FloatField(null=True, blank=True)
    maximum = models.FloatField(null=True, blank=True)
    default = models.FloatField(null=True, blank=True)
    """Of a writable point: what it is given back to when nobody holds it. None: the last value stays."""
    states = models.JSONField(null=True, blank=True)
    adopted = models.BooleanField(db_default=False)
    overridden = models.JSONField(default=dict, db_default={}, editable=False)
    """Fields that a person set -> what the edge reports for them. The person's value stands, whatever is reported."""

    class Meta:
        ordering = ("site_id", "id")
        constraints = (models.UniqueConstraint(fields=["site", "key"], name="point_key_in_site"),)

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        check_same_site(self.site_id, device=self.device, asset=self.asset)
