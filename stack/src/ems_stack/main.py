"""The command line of the stack: `python -m ems_stack WORD`; the Makefile has a target for each."""

from __future__ import annotations

import sys

import typer

from ems_stack import throwaway

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def root() -> None:
    """Start, watch and stop PostgreSQL, Redis and every service of SimTestLab EMS on one machine."""


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def services(command: list[str]) -> None:
    """Run a command with a throw-away PostgreSQL and Redis: `services -- pytest backend`."""
    sys.exit(throwaway.run(command))


def main() -> None:
    app()
