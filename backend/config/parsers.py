"""Bodies are JSON in UTF-8 (RFC 8259). What JSON can write and nothing behind can hold is refused here, once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class StrictJSONParser(BaseParser):
    """Raises ParseError for bad UTF-8, NaN and Infinity, nesting that exhausts the stack, lone surrogates and NUL.

    RequestDataTooBig comes before anything is read: the stream itself has no limit but the length that was announced.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {}).get("request")
        if request is not None and _length(request.META) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        try:
            text = stream.read().decode()
            value = json.loads(text, parse_constant=_refuse)
            if "\\u" in text:  # only an escape can write either of the two
                _check_texts(value)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        except ValueError as error:  # bad UTF-8 and bad JSON
            raise ParseError(f"The body is not JSON: {error}") from error
        return value


def _length(headers: Mapping[str, Any]) -> int:
    """0 where none is announced, or junk: then the server hands on no body."""
    text = str(headers.get("CONTENT_LENGTH") or "")
    return int(text) if text.isdecimal() else 0


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _check_texts(value: Any) -> None:
    """PostgreSQL holds no NUL, UTF-8 no half of a character. Names of fields count too."""
    for text in _texts(value):
        if "\0" in text:
            raise ValueError("a text holds the character NUL")
        text.encode()  # UnicodeEncodeError, a ValueError, for half a character


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                yield name
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
