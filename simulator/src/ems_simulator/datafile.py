"""Read the room's YAML data into typed structs; a mistake is reported with file, field and remedy."""

from __future__ import annotations

from importlib.resources.abc import Traversable

import msgspec
import yaml


class DataFileError(ValueError):
    """A data file is wrong; the message names the file, the field and what is expected."""


def load[T](source: Traversable, kind: type[T]) -> T:
    """Decode one YAML file as `kind`. Raises DataFileError."""
    try:
        document = yaml.safe_load(source.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DataFileError(f"{source.name}: not YAML: {error}") from None
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise DataFileError(f"{source.name}: {error}") from None
