"""Read the room's YAML data into typed structs; a mistake is reported with file, field and remedy."""

from __future__ import annotations

from importlib.resources.abc import Traversable

import msgspec
import yaml


class DataFileError(ValueError):
    """A data file is wrong; the message names the file, the field and what is expected."""


_REMEDIES = {
    "Object contains unknown field": "correct its spelling or leave it out",
    "Object missing required field": "add it",
    "Invalid enum value": "choose one of those that the other files have",
    "Expected": "write what is expected",
}
"""How msgspec's sentence begins -> what to do about it."""


def load[T](source: Traversable, kind: type[T]) -> T:
    """Decode one YAML file as `kind`. Raises DataFileError."""
    try:
        document = yaml.safe_load(source.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DataFileError(f"{source.name}: not YAML: {error}") from None
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        problem = str(error)
        remedy = next((words for start, words in _REMEDIES.items() if problem.startswith(start)), "correct it")
        raise DataFileError(f"{source.name}: {problem}; {remedy}") from None
