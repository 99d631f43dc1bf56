"""Which form an answer has. Where there is one, nobody is refused for asking for another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class OnlyChoice(DefaultContentNegotiation):
    """`Accept` and `?format=` are heeded only by views with several renderers: the API's description."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        choices = list(renderers)
        if len(choices) == 1:
            return choices[0], str(choices[0].media_type)
        chosen: tuple[Any, str] = super().select_renderer(request, choices, format_suffix)
        return chosen
