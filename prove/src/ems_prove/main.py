"""`python -m ems_prove run [NAME ...]`: one line for each promise: name, figure, aim, met or short."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from ems_stack.progress import ConsoleSink, Progress
from rich.console import Console

from ems_prove.catalogue import EXPERIMENTS
from ems_prove.lab import Lab

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(highlight=False)


@app.callback()
def root() -> None:
    """The promises of SimTestLab EMS, measured on the real stack."""


@app.command("list")
def list_experiments() -> None:
    """Name, about how long, and the promise."""
    for one in EXPERIMENTS:
        console.print(f"{one.name:<18} {one.minutes:>4g} min  {one.promise}", soft_wrap=True)


@app.command()
def run(names: Annotated[list[str] | None, typer.Argument(help="Which; all without.")] = None) -> None:
    """Measure, and end with 1 if a promise was not met."""
    known = {one.name: one for one in EXPERIMENTS}
    if unknown := [name for name in names or () if name not in known]:
        console.print(f"no experiment is named {', '.join(unknown)}; choose from {', '.join(known)}", soft_wrap=True)
        sys.exit(2)
    chosen = [known[name] for name in names] if names else list(EXPERIMENTS)
    lines = []
    sink = ConsoleSink(console)
    with Lab(Progress(sink)) as lab:
        for one in chosen:
            outcome = one.measure(lab)
            sink.close()
            verdict = "met" if outcome.met else "short"
            lines.append((f"{one.name:<18} {outcome.figure}  (aim: {outcome.aim})  {verdict}", outcome.met))
            console.print(lines[-1][0], markup=False, soft_wrap=True)
    sink.close()
    console.rule("the promises")
    for line, met in lines:
        console.print(line, style="green" if met else "red", markup=False, soft_wrap=True)
    sys.exit(0 if all(met for _, met in lines) else 1)


def main() -> None:
    app()
