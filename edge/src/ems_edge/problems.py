"""What is wrong with a file: which one, which line, which field, and what to do about it.

Every file that a person writes (bootstrap, configuration, profile) is read through `Document`, so every mistake in one
ends as a single sentence: `site.yaml:12: points[3].type: 'unit16' is not known; did you mean 'uint16'?`
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import inspect

_WHERE = re.compile(r"(?P<problem>.*) - at `(?:key in )?`?\$(?P<path>[^`]*)`", re.DOTALL)
_OWN_CHECK = re.compile(r"(?P<field>\w+): (?P<problem>.+); (?P<remedy>.+)")
"""What a struct's own `__post_init__` may say of a field."""
_SECRET = re.compile(r"key|(.*\.)?password")
"""Fields whose value no error may show."""
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\.\.\.)\]")


class ConfigError(ValueError):
    """A file that cannot be used. `field` is a path such as `points[3].type`; `remedy` says what to write instead."""

    def __init__(self, file: str, field: str, problem: str, remedy: str, line: int | None = None) -> None:
        place = f"{file}:{line}" if line else file
        super().__init__(f"{place}: {field + ': ' if field else ''}{problem}; {remedy}")
        self.file = file
        self.field = field
        self.problem = problem
        self.remedy = remedy
        self.line = line


def did_you_mean(word: object, known: Iterable[str], otherwise: str = "use one of") -> str:
    """`did you mean 'uint16'?`, or the whole list where nothing is close."""
    choices = sorted(known)
    close = difflib.get_close_matches(str(word), choices, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"{otherwise} {', '.join(repr(choice) for choice in choices)}"


class _Few(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__(maxlevel=2, maxstring=100, maxother=100)


def shown(value: object) -> str:
    """A value out of a file, for an error. YAML's aliases make a few lines into more than memory holds when written."""
    return f"{_Few().repr(value):.60}"


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans (so that a state may be called `off`), and no silent second value for a key."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), list("tf"))


def _unique_keys(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable) or key in seen:
            problem = f"{key!r} is written twice" if isinstance(key, Hashable) else "a key is not a plain word"
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _unique_keys)


@dataclass(frozen=True)
class Document:
    """A parsed file, or a part of one: its plain data, and where each field stands.

    `file` is how errors name it, `prefix` where the part hangs: `config.devices[0].connection`.
    """

    file: str
    data: Any
    node: yaml.Node | None = field(default=None, repr=False)
    prefix: str = ""

    def error(self, field: str, problem: str, remedy: str) -> ConfigError:
        path = _join(self.prefix, field) if field else self.prefix
        return ConfigError(self.file, path, problem, remedy, _line(self.node, path))

    def part(self, path: str) -> Document:
        return Document(self.file, _value_at(self.data, path), self.node, _join(self.prefix, path))

    def convert[T](self, wanted: type[T]) -> T:
        """The data as a `wanted` struct; raises ConfigError for the first field that does not fit."""
        kind = inspect.type_info(wanted)
        for path, word, known in _unknown(self.data, kind, ""):
            raise self.error(path, "there is no such field", did_you_mean(word, known))
        try:
            return msgspec.convert(self.data, wanted, strict=True)
        except msgspec.ValidationError as error:
            raise self._translate(str(error), kind) from None

    def _translate(self, message: str, kind: inspect.Type) -> ConfigError:
        found = _WHERE.fullmatch(message)
        problem, path = (found["problem"], found["path"].lstrip(".")) if found else (message, "")
        if told := _OWN_CHECK.fullmatch(problem):
            return self.error(_join(path, told["field"]), told["problem"], told["remedy"])
        if missing := re.fullmatch(r"Object missing required field `(.+)`", problem):
            return self.error(_join(path, missing[1]), "is missing", "add it")
        value = "[redacted]" if _SECRET.fullmatch(_join(self.prefix, path)) else _value_at(self.data, path)
        if problem.startswith("Invalid enum value"):
            return self.error(path, f"{shown(value)} is not known", did_you_mean(value, _choices(kind, path)))
        problem = problem[0].lower() + problem[1:].replace("`", "")
        return self.error(path, problem, f"{shown(value)} stands there")


def read_yaml(path: Path) -> Document:
    """Raises ConfigError where the file cannot be read or is no YAML mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            str(path), "", f"cannot be read ({error.strerror})", "give the path of a readable file"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "", f"is not UTF-8 at byte {error.start}", "save it as UTF-8") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, file: str) -> Document:
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"is not YAML: {error.problem or error.context}"
        remedy = f"look at column {mark.column + 1}" if mark else "correct it"
        raise ConfigError(file, "", problem, remedy, mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(file, "", f"is not YAML: {error}", "correct it") from None
    if not isinstance(data, dict):
        what = "is empty" if data is None else f"holds a {type(data).__name__}"
        raise ConfigError(file, "", what, "write a mapping of fields to values")
    return Document(file, data, node)


def _join(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def _steps(path: str) -> Iterator[str | int]:
    for found in _STEP.finditer(path):
        yield int(found[2]) if found[2] and found[2].isdigit() else found[1] or found[2]


def _line(node: yaml.Node | None, field: str) -> int | None:
    """The line of the field, or of the closest thing around it that is there."""
    if node is None:
        return None
    for step in _steps(field):
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if getattr(key, "value", None) == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner = node.value[step]
        else:
            inner = None
        if inner is None:
            break
        node = inner
    return int(node.start_mark.line) + 1


def _value_at(data: Any, path: str) -> Any:
    for step in _steps(path):
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            break
    return data


def _struct(kind: inspect.Type, data: Any = None) -> inspect.StructType | None:
    """The struct that the data should fit; of several that are told apart by a tag, the one it names."""
    options = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    structs = [option for option in options if isinstance(option, inspect.StructType)]
    for struct in structs:
        if len(structs) > 1 and isinstance(data, dict) and data.get(struct.tag_field) == struct.tag:
            return struct
    return structs[0] if len(structs) == 1 else None


def _unknown(data: Any, kind: inspect.Type, path: str) -> Iterator[tuple[str, str, list[str]]]:
    """(path, word, known words) of every field that its struct does not declare."""
    struct = _struct(kind, data)
    if struct is not None and isinstance(data, dict):
        fields = {field.encode_name: field.type for field in struct.fields}
        for key, value in data.items():
            if key == struct.tag_field:
                continue
            if key not in fields:
                yield _join(path, str(key)), str(key), sorted(fields)
            else:
                yield from _unknown(value, fields[key], _join(path, key))
    elif isinstance(kind, inspect.ListType | inspect.VarTupleType) and isinstance(data, list):
        for number, value in enumerate(data):
            yield from _unknown(value, kind.item_type, f"{path}[{number}]")


def _choices(kind: inspect.Type, path: str) -> list[str]:
    """The values that an enum or literal field may have; of several structs, the first that has such a field."""
    for step in _steps(path):
        options = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
        structs = [option for option in options if isinstance(option, inspect.StructType)]
        if structs:
            fields = (field for struct in structs for field in struct.fields)
            kind = next((field.type for field in fields if field.encode_name == step), kind)
        elif isinstance(kind, inspect.ListType | inspect.VarTupleType):
            kind = kind.item_type
    options = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    found: list[str] = []
    for option in options:
        if isinstance(option, inspect.EnumType):
            found += [str(member.value) for member in option.cls]
        elif isinstance(option, inspect.LiteralType):
            found += [str(value) for value in option.values]
    return found
