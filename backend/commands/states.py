"""Which state of a command may follow which: a pure table. What lies behind the known state changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from ems_contract.commands import CommandState

_ENDS = frozenset({CommandState.VERIFIED, CommandState.REJECTED, CommandState.FAILED, CommandState.EXPIRED})
_BY_EDGE = _ENDS | {CommandState.WRITTEN, CommandState.REVERTED}

_NEXT: Mapping[CommandState, frozenset[CommandState]] = {
    CommandState.REQUESTED: _BY_EDGE | {CommandState.SENT},
    CommandState.SENT: _BY_EDGE,
    CommandState.WRITTEN: frozenset({CommandState.VERIFIED, CommandState.FAILED, CommandState.REVERTED}),
    CommandState.VERIFIED: frozenset({CommandState.REVERTED}),
    CommandState.REJECTED: frozenset(),
    CommandState.FAILED: frozenset({CommandState.REVERTED}),  # the device may have had it all the same
    CommandState.EXPIRED: frozenset(),
    CommandState.REVERTED: frozenset(),
}


def edge_may_say(known: CommandState, said: CommandState, *, answered: bool) -> bool:
    """Whether `said` by the edge is news. What the backend only assumed of a command whose edge had not answered (that
    it has expired, or failed to be sent) gives way to whatever the edge says: the edge is the truth."""
    return said in _BY_EDGE and (said in _NEXT[known] if answered else True)


def backend_may_set(known: CommandState, state: CommandState) -> bool:
    """Whether the backend may go on to `state` by itself."""
    return state in _NEXT[known]
