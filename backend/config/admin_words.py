"""How the admin's pages say things: a state in a word and a colour, a link to rows, an age."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince

Tone = Literal["", "good", "warn", "bad", "accent"]


def state(word: object, tone: Tone = "") -> str:
    """The word says it all, the colour only helps. Escapes the word."""
    return format_html('<span class="state {}">{}</span>', tone, word)


def rows_url(model: str, **filters: object) -> str:
    """`rows_url("sites_edge", site__id__exact=3)` -> the address of a filtered list."""
    query = f"?{urlencode(filters)}" if filters else ""
    return reverse(f"admin:{model}_changelist") + query


def link(text: object, url: str) -> str:
    """Escapes both."""
    return format_html('<a href="{}">{}</a>', url, text)


def age(moment: datetime | None) -> str:
    """`3 hours, 2 minutes ago`, or `never`."""
    return "never" if moment is None else f"{timesince(moment, timezone.now())} ago"


def words(name: str) -> str:
    """`site_manager` -> `Site manager`."""
    return name.replace("_", " ").capitalize()


def shown(value: object) -> str:
    """JSON as a small table of names and values. Escapes both: what is in it was written by anyone."""
    if not isinstance(value, dict) or not value:
        return "–"
    rows = format_html_join(
        "", "<tr><th>{}</th><td>{}</td></tr>", ((name, _text(inner)) for name, inner in value.items())
    )
    return format_html('<table class="details">{}</table>', rows)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
