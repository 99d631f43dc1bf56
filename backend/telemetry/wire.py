"""PostgreSQL's binary formats: arrays as numpy arrays, rows for COPY. No I/O of its own, no Django.

Only one-dimensional arrays without nulls, which is all that history stores: a missing value is told by the quality
or by NaN.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

Field = bytes | None
"""One field of a COPY row, already in binary; None is NULL."""

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"


class ArrayType(NamedTuple):
    """A PostgreSQL array type: its own oid, its element's, and the element as numpy writes it."""

    oid: int
    element: int
    dtype: str


INT2 = ArrayType(1005, 21, ">i2")
INT4 = ArrayType(1007, 23, ">i4")
INT8 = ArrayType(1016, 20, ">i8")
FLOAT4 = ArrayType(1021, 700, ">f4")
FLOAT8 = ArrayType(1022, 701, ">f8")
ARRAY_TYPES = (INT2, INT4, INT8, FLOAT4, FLOAT8)

_INT4 = struct.Struct(">i")
_INT8 = struct.Struct(">q")
_HEADER = struct.Struct(">iiIii")  # dimensions, has nulls, element oid, length, lower bound
_SIZE = struct.Struct(">i")
_COUNT = struct.Struct(">h")


def _element(kind: ArrayType) -> np.dtype[np.void]:
    """An element on the wire: its size, then its bytes."""
    return np.dtype([("size", ">i4"), ("value", kind.dtype)])


_ELEMENTS = {kind: _element(kind) for kind in ARRAY_TYPES}


def int4(value: int) -> bytes:
    return _INT4.pack(value)


def int8(value: int) -> bytes:
    return _INT8.pack(value)


class ArrayFields:
    """Turns slices of one numpy array into array fields; the whole array is converted once.

    The values must fit the type: nothing is checked here (a cast that wraps would be silent).
    """

    def __init__(self, kind: ArrayType, values: NDArray[Any]) -> None:
        elements = np.empty(len(values), _ELEMENTS[kind])
        elements["size"] = elements.dtype["value"].itemsize
        elements["value"] = values
        self._kind = kind
        self._width = elements.dtype.itemsize
        self._bytes = elements.tobytes()

    def field(self, first: int, end: int) -> bytes:
        head = _HEADER.pack(1, 0, self._kind.element, end - first, 1)
        return head + self._bytes[first * self._width : end * self._width]


def array_field(kind: ArrayType, values: NDArray[Any]) -> bytes:
    return ArrayFields(kind, values).field(0, len(values))


def copy_rows(rows: Iterable[Sequence[Field]], flush_bytes: int = 1 << 20) -> Iterable[bytes]:
    """A binary COPY as a stream of blocks: header, rows, end."""
    parts = [COPY_HEADER]
    size = 0
    for row in rows:
        parts.append(_COUNT.pack(len(row)))
        for field in row:
            if field is None:
                parts.append(b"\xff\xff\xff\xff")
            else:
                parts.append(_SIZE.pack(len(field)))
                parts.append(field)
                size += len(field)
        if size >= flush_bytes:
            yield b"".join(parts)
            parts, size = [], 0
    parts.append(COPY_END)
    yield b"".join(parts)


def parse_array(data: Buffer) -> NDArray[Any]:
    """A binary array -> numpy, in the machine's byte order. Raises ValueError for an array with nulls."""
    view = memoryview(data)
    dimensions, nulls, element, length, _ = _HEADER.unpack_from(view) if len(view) >= 20 else (0, 0, 0, 0, 0)
    if dimensions == 0:
        return np.empty(0)
    if nulls or dimensions != 1:
        raise ValueError("an array in history has one dimension and no nulls")
    kind = _BY_ELEMENT[element]
    values = np.frombuffer(view, _ELEMENTS[kind], count=length, offset=20)["value"]
    return values.astype(kind.dtype[1:])


_BY_ELEMENT = {kind.element: kind for kind in ARRAY_TYPES}


class _NumpyArrayLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> NDArray[Any]:
        return parse_array(data)


def register(context: AdaptContext) -> None:
    """Let the binary cursors of `context` (a cursor or a connection) answer numpy arrays for array columns."""
    adapters = context.adapters
    if adapters is not None:
        for kind in ARRAY_TYPES:
            adapters.register_loader(kind.oid, _NumpyArrayLoader)
