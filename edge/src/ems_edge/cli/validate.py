"""`ems-edge validate`: is a file what it should be?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ems_edge.bootstrap import Backend, check_bootstrap
from ems_edge.cli import output
from ems_edge.config import check_config
from ems_edge.problems import ConfigError, read_yaml
from ems_edge.profile import Profiles, check_profile


def validate(
    files: Annotated[list[Path], typer.Argument(help="Bootstrap files, configurations, profiles.", show_default=False)],
    profiles: Annotated[Path | None, typer.Option(help="Directory of own profiles, for a configuration.")] = None,
    as_json: output.Json = False,
) -> None:
    """Check bootstrap files, configurations and profiles; a mistake is told with line, field and remedy."""
    answers: list[dict[str, object]] = []
    for file in files:
        try:
            told = _describe(file, Profiles(profiles))
        except ConfigError as error:
            answer = {"file": str(file), "good": False, "line": error.line, "field": error.field}
            answers.append(answer | {"problem": error.problem, "remedy": error.remedy})
            if not as_json:
                output.complain(str(error))
        else:
            answers.append({"file": str(file), "good": True, "is": told})
            if not as_json:
                output.say(f"{file}: {told}")
    if as_json:
        output.emit(answers)
    wrong = sum(not answer["good"] for answer in answers)
    if wrong and len(files) > 1 and not as_json:
        output.complain(f"{wrong} of {len(files)} files are wrong")
    if wrong:
        raise typer.Exit(output.WRONG)


def _describe(file: Path, profiles: Profiles) -> str:
    document = read_yaml(file)
    if "points" in document.data:
        profile = check_profile(document)
        return f"profile {profile.profile}, {len(profile.all_points())} points"
    if "devices" in document.data:
        plan = check_config(document, profiles)
        return f"configuration {plan.config.revision}, {len(plan.devices)} devices, {len(plan.points)} points"
    settings = check_bootstrap(document, file.resolve().parent)
    kind = f"backend {settings.source.url}" if isinstance(settings.source, Backend) else "standalone"
    return f"bootstrap, {kind}, store {settings.store or 'in memory'}"
