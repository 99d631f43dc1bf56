"""`ems-edge profiles`: which devices are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ems_edge.cli import output
from ems_edge.problems import ConfigError
from ems_edge.profile import Profiles
from ems_edge.profile_common import CommonProfile


def list_profiles(
    words: Annotated[list[str] | None, typer.Argument(help="Only those that these words are part of.")] = None,
    profiles: Annotated[Path | None, typer.Option("--profiles", help="Directory of own profiles.")] = None,
    as_json: output.Json = False,
) -> None:
    """The profiles there are: device, protocol, number of points, and whether the maker's own document was read."""
    known = Profiles(profiles)
    try:
        found = [profile for name in known.names() if _matches(profile := known.get(name), words or [])]
    except ConfigError as error:
        output.fail(str(error), output.WRONG)
    if as_json:
        output.emit([_as_json(profile) for profile in found])
        return
    columns = dict.fromkeys(("PROFILE", "DEVICE", "DRIVER"), "left") | {"POINTS": "right", "VERIFIED": "left"}
    output.table(
        columns,
        [
            [profile.profile, profile.name, profile.driver, str(len(profile.all_points())), _verified(profile)]
            for profile in found
        ],
    )


def _matches(profile: CommonProfile, words: list[str]) -> bool:
    text = f"{profile.profile} {profile.name} {profile.driver}".casefold()
    return all(word.casefold() in text for word in words)


def _verified(profile: CommonProfile) -> str:
    """A profile without a source is of our own device: there is no other document."""
    return "yes" if profile.verified else "no, see its source"


def _as_json(profile: CommonProfile) -> dict[str, object]:
    points = [
        {"key": point.key, "name": point.name, "unit": point.unit, "kind": point.kind, "writable": point.writable}
        for point in profile.all_points()
    ]
    return {
        "profile": profile.profile,
        "name": profile.name,
        "driver": profile.driver,
        "source": profile.source,
        "verified": profile.verified,
        "points": points,
    }
