"""The words that fields of several shapes choose from; the API's description names each set once."""

from __future__ import annotations

from accounts.policy import SITE_ROLES, Role
from ems_contract.access import Action
from ems_contract.points import Kind

ACTIONS = [action.value for action in Action]
KINDS = [kind.value for kind in Kind]
ROLES = [role.value for role in Role]
ROLES_ON_SITES = [role.value for role in SITE_ROLES]
