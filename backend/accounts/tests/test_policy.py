"""The role matrix, cell by cell."""

from __future__ import annotations

from itertools import pairwise

import pytest

from accounts import policy
from accounts.policy import PlatformAction, Role
from ems_contract.access import Action

ROLES = (Role.VIEWER, Role.OPERATOR, Role.SITE_MANAGER, Role.ORG_ADMIN, Role.PLATFORM_ADMIN)
YES, NO = True, False

# The table of ARCHITECTURE.md; "where" is: only where the site's configuration allows operators.
TABLE: dict[Action | PlatformAction, tuple[bool | str, ...]] = {
    Action.VIEW: (YES, YES, YES, YES, YES),
    Action.EXPORT_REPORTS: (NO, YES, YES, YES, YES),
    Action.ACKNOWLEDGE_ALERTS: (NO, YES, YES, YES, YES),
    Action.CONTROL_DEVICES: (NO, "where", YES, YES, YES),
    Action.MANAGE_SITE: (NO, NO, YES, YES, YES),
    Action.ADD_SITE_USERS: (NO, NO, YES, YES, YES),
    Action.MANAGE_ORG_USERS: (NO, NO, NO, YES, YES),
    PlatformAction.ACCESS_OTHER_ORGS: (NO, NO, NO, NO, YES),
    PlatformAction.DJANGO_ADMIN: (NO, NO, NO, NO, YES),
}
CELLS = [(action, role, cell) for action, row in TABLE.items() for role, cell in zip(ROLES, row, strict=True)]


@pytest.mark.parametrize(("action", "role", "cell"), CELLS)
def test_each_cell_is_as_designed(action: Action | PlatformAction, role: Role, cell: bool | str) -> None:
    if isinstance(action, PlatformAction):
        assert (action in policy.PLATFORM[role]) is cell
        return
    assert (action in policy.actions(role, operators_may_control=False)) is (cell is YES)
    assert (action in policy.actions(role, operators_may_control=True)) is (cell is not NO)


def test_the_table_covers_every_action_and_every_role() -> None:
    assert set(TABLE) == {*Action, *PlatformAction}
    assert tuple(Role) == ROLES


def test_each_role_may_do_what_the_weaker_one_may() -> None:
    for weaker, stronger in pairwise(ROLES):
        for allowed in (True, False):
            assert set(policy.actions(weaker, allowed)) <= set(policy.actions(stronger, allowed))


@pytest.mark.parametrize(
    ("role", "others"),
    [
        (Role.VIEWER, []),
        (Role.OPERATOR, []),
        (Role.SITE_MANAGER, [Role.VIEWER, Role.OPERATOR]),
        (Role.ORG_ADMIN, [Role.VIEWER, Role.OPERATOR, Role.SITE_MANAGER]),
        (Role.PLATFORM_ADMIN, [Role.VIEWER, Role.OPERATOR, Role.SITE_MANAGER]),
    ],
)
def test_nobody_grants_as_much_as_they_hold(role: Role, others: list[Role]) -> None:
    assert policy.grantable(role) == others


def test_the_strongest_of_several_roles_counts() -> None:
    assert policy.strongest([Role.VIEWER, Role.ORG_ADMIN, Role.OPERATOR]) is Role.ORG_ADMIN
