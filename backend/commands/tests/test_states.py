"""Which state may follow which."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from commands.states import backend_may_set, edge_may_say
from ems_contract.commands import FINAL_STATES, CommandState

STATES = st.sampled_from(list(CommandState))
ORDER = [
    {CommandState.REQUESTED},
    {CommandState.SENT},
    {CommandState.WRITTEN},
    FINAL_STATES - {CommandState.REVERTED},
    {CommandState.REVERTED},
]


def rank(state: CommandState) -> int:
    return next(index for index, states in enumerate(ORDER) if state in states)


@given(STATES, STATES)
def test_a_command_only_goes_on(known: CommandState, said: CommandState) -> None:
    if edge_may_say(known, said, answered=True) or backend_may_set(known, said):
        assert rank(said) > rank(known)


@given(st.lists(STATES, max_size=20))
def test_whatever_an_edge_says_it_comes_to_an_end_and_stays_there(said: list[CommandState]) -> None:
    known, steps = CommandState.SENT, 0
    for index, state in enumerate(said):
        if edge_may_say(known, state, answered=index > 0):
            known, steps = state, steps + 1
    assert steps <= 4


@given(STATES, st.booleans())
def test_an_edge_says_neither_requested_nor_sent(known: CommandState, answered: bool) -> None:
    for state in (CommandState.REQUESTED, CommandState.SENT):
        assert not edge_may_say(known, state, answered=answered)
