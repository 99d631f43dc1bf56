"""`ems-edge buffer export`: what waits in the store, as a file. Nothing is deleted, and the edge may be running."""

from __future__ import annotations

import csv
import io
import sqlite3
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import typer
from ems_contract.telemetry import Batch, BatchRefusedError, decode_batch

from ems_edge import store
from ems_edge.cli import output
from ems_edge.cli.status import Bootstrap, load, store_file

_COLUMNS = ("ts", "point", "value", "reason", "boot", "seq")

buffer = typer.Typer(help="What waits in the store.", no_args_is_help=True)


class Format(StrEnum):
    NDJSON = "ndjson"
    """One batch a line, byte for byte as it is sent."""
    CSV = "csv"
    """One sample a line."""


@buffer.command("export")
def export(
    bootstrap: Bootstrap,
    file: Annotated[Path, typer.Argument(help="Where to; - is standard output.", allow_dash=True)],
    form: Annotated[Format | None, typer.Option("--format", help="By the file's name, if not said.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Copy the waiting batches to a file: NDJSON, a batch a line, or CSV, a sample a line. Nothing is deleted."""
    path = store_file(load(bootstrap))
    chosen = form or (Format.CSV if file.suffix == ".csv" else Format.NDJSON)
    try:
        total = store.read_stats(path)[0].batches
        with _opened(file, force) as sink, output.progress() as progress:
            task = progress.add_task("exporting", total=total)
            written, damaged = _export(path, sink, chosen, lambda: progress.advance(task))
    except FileExistsError:
        output.fail(f"{file} is there already; name another file, or add --force", output.FAILED)
    except OSError as error:
        output.fail(f"{file} cannot be written: {error.strerror or error}; name another file", output.FAILED)
    except sqlite3.Error as error:
        output.fail(f"{path} cannot be read: {error}; start the edge, which repairs it", output.FAILED)
    output.note(f"{written} batches exported")
    if damaged:
        output.fail(f"left out as damaged: {damaged}; the edge sets them aside when it sends them", output.FAILED)


@contextmanager
def _opened(file: Path, force: bool) -> Iterator[IO[bytes]]:
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with file.open("wb" if force else "xb") as sink:
        yield sink


def _export(path: Path, sink: IO[bytes], form: Format, done: Callable[[], None]) -> tuple[int, int]:
    """(batches written, batches left out because their bytes are not those that were stored)"""
    written = damaged = 0
    if form is Format.CSV:
        sink.write((",".join(_COLUMNS) + "\r\n").encode())
    for *_, checksum, payload in store.read_rows(path):
        done()
        try:
            if zlib.crc32(payload) != checksum:
                raise BatchRefusedError("batch", "the checksum differs")
            sink.write(payload + b"\n" if form is Format.NDJSON else _samples(decode_batch(payload)))
        except BatchRefusedError:
            damaged += 1
        else:
            written += 1
    return written, damaged


def _samples(batch: Batch) -> bytes:
    """A bad sample has no value, but a reason; an uncertain one has both."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for reading in batch.readings:
        quality = reading.quality or {}
        for point, value in reading.values.items():
            shown = "" if value is None else repr(value)
            writer.writerow((output.moment(reading.ts), point, shown, quality.get(point, ""), batch.boot, batch.seq))
    return text.getvalue().encode()
