"""Who holds a point: the strongest of its claims. Pure.

The lower priority number wins, as in BACnet; of equals the newest. A holder has one claim at a point; a new value of
the same holder keeps its place among equals, so that two rules cannot overtake each other by repeating themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Claim:
    """`value` in the point's unit. Its write must not begin after `until` (loop time, s), where there is one."""

    holder: str
    priority: int
    value: float
    until: float | None = None


def called(holder: str) -> str:
    """A holder as people read it: `rule peak`, and of a command only that it is one."""
    kind, _, name = holder.partition(":")
    return "somebody's command" if kind == "command" else f"{kind} {name}"


class Claims:
    """The claims at one point."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}
        """By holder, in the order of their arrival."""

    def __bool__(self) -> bool:
        return bool(self._claims)

    def put(self, claim: Claim) -> bool:
        """False where the holder claims exactly this already."""
        known = self._claims.get(claim.holder)
        if known is not None and (known.priority, known.value) == (claim.priority, claim.value):
            return False
        if known is not None and known.priority == claim.priority:
            self._claims[claim.holder] = replace(known, value=claim.value, until=claim.until)
        else:
            self._claims.pop(claim.holder, None)
            self._claims[claim.holder] = claim
        return True

    def written(self, holder: str) -> None:
        """It was in time; what is written again later is the same claim."""
        if (claim := self._claims.get(holder)) is not None:
            self._claims[holder] = replace(claim, until=None)

    def drop(self, holder: str) -> Claim | None:
        return self._claims.pop(holder, None)

    def of(self, holder: str) -> Claim | None:
        return self._claims.get(holder)

    def all(self) -> list[Claim]:
        return list(self._claims.values())

    def strongest(self) -> Claim | None:
        # max and not min: of equals, `min` would give the first.
        return max(reversed(self._claims.values()), key=lambda claim: -claim.priority, default=None)
