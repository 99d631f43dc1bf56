"""What the shapes of rows have in common: what a row refers to is on its own site."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from config.filters import ABSENT
from config.strict import StrictModelSerializer
from sites.models import Site, TenantRow


class RowSerializer[M: TenantRow](StrictModelSerializer[M]):
    """A row of a site. `Meta.validators = ()`: what must be unique is checked in `actions/`, through a door."""

    place = "site"
    """Where a new row goes: the field with its site, or with something on it."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What a row refers to is on its own site; of another one not even the existence is told."""
        site_id = self._site_id(attrs)
        for name, row in attrs.items():
            if isinstance(row, TenantRow) and row.site_id != site_id:
                raise ValidationError({name: ABSENT})
        return attrs

    def _site_id(self, attrs: dict[str, Any]) -> int:
        if isinstance(self.instance, TenantRow):
            return self.instance.site_id
        place = attrs[self.place]
        return place.pk if isinstance(place, Site) else place.site_id


class WholeList(serializers.Serializer[Any]):
    """A list that is always sent as one page."""

    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
