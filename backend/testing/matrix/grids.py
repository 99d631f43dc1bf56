"""The answers that the rows of the table refer to: one look shows who may do what, and each cell is asked.

401: no valid credential for this endpoint. 404: as if it did not exist. 403: it is known, and not allowed.
"""

from __future__ import annotations

from testing.matrix.grid import grid

# Without a target ---------------------------------------------------------------------------------------------------

PUBLIC = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
-            ok        ok     ok       ok      ok        ok       ok        ok       ok    ok      ok
""")

REFRESH_COOKIE = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
-            401       ok     ok       ok      ok        ok       ok        401      401   401     401
""")

ANY_CREDENTIAL = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
-            401       ok     ok       ok      ok        ok       ok        401      ok    401     401
""")

LOGIN = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
-            401       ok     ok       ok      ok        ok       ok        401      403   401     401
""")

PLATFORM = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
-            401       403    403      403     403       ok       403       401      403   401     401
""")

DEVELOPERS = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
-            401       403    403      403     403       ok       ok        401      403   401     401
""")

AUDIT_READERS = LOGIN.but(alone={"viewer": 403, "operator": 403, "manager": 403})
"""Who administers something: the developer a sandbox."""

EDGES = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
-            401       401    401      401     401       401      401       ok       401   401     401
""")

# One site, or a row of one ------------------------------------------------------------------------------------------

VIEW_SITE = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
own          401       ok     ok       ok      ok        ok       404       401      ok    401     401
other        401       404    404      404     ok        ok       404       401      404   401     401
foreign      401       404    404      404     404       ok       404       401      404   401     401
nonexistent  401       404    404      404     404       404      404       401      404   401     401
""")

MANAGE_SITE = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
own          401       403    403      ok      ok        ok       404       401      403   401     401
other        401       404    404      404     ok        ok       404       401      404   401     401
foreign      401       404    404      404     404       ok       404       401      404   401     401
nonexistent  401       404    404      404     404       404      404       401      404   401     401
""")

ADMINISTER_SITE = MANAGE_SITE.but(own={"manager": 403})

ROLE_ON_SITE = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
own          401       403    403      ok      ok        ok       404       401      403   401     401
peer         401       403    403      403     ok        ok       404       401      403   401     401
other        401       404    404      404     ok        ok       404       401      404   401     401
foreign      401       404    404      404     404       ok       404       401      404   401     401
nonexistent  401       404    404      404     404       404      404       401      404   401     401
""")
"""`peer` is another site manager's role: nobody takes what is not weaker than their own."""

# Something new on a site that the body names: an unknown site is a field that is not acceptable -----------------------

ADD_TO_SITE = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
own          401       403    403      ok      ok        ok       400       401      403   401     401
other        401       400    400      400     ok        ok       400       401      403   401     401
foreign      401       400    400      400     400       ok       400       401      403   401     401
nonexistent  401       400    400      400     400       400      400       401      403   401     401
""")

# One organization, or a row of one ----------------------------------------------------------------------------------

VIEW_ORGANIZATION = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
own          401       ok     ok       ok      ok        ok       404       401      ok    401     401
foreign      401       404    404      404     404       ok       404       401      404   401     401
nonexistent  401       404    404      404     404       404      404       401      404   401     401
""")

ADMINISTER_ORGANIZATION = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
own          401       403    403      403     ok        ok       404       401      403   401     401
foreign      401       404    404      404     404       ok       404       401      404   401     401
nonexistent  401       404    404      404     404       404      404       401      404   401     401
""")

PLATFORM_ON_ORGANIZATION = ADMINISTER_ORGANIZATION.but(own={"org_admin": 403})
"""What even its org admin may not do with an organization."""

ADD_TO_ORGANIZATION = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
own          401       403    403      403     ok        ok       400       401      403   401     401
foreign      401       400    400      400     400       ok       400       401      403   401     401
nonexistent  401       400    400      400     400       400      400       401      403   401     401
""")

ADD_TO_ORGANIZATION_BY_PLATFORM = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
own          401       403    403      403     403       ok       403       401      403   401     401
foreign      401       403    403      403     403       ok       403       401      403   401     401
nonexistent  401       403    403      403     403       400      403       401      403   401     401
""")

# People: one's own rows are the target `oneself`; who has no membership asks there for the one of `own`

VIEW_MEMBERSHIP = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
oneself      401       ok     ok       ok      ok        ok       404       401      403   401     401
own          401       404    404      404     ok        ok       404       401      403   401     401
foreign      401       404    404      404     404       ok       404       401      403   401     401
nonexistent  401       404    404      404     404       404      404       401      403   401     401
""")

CHANGE_MEMBERSHIP = VIEW_MEMBERSHIP.but(oneself={"viewer": 403, "operator": 403, "manager": 403, "org_admin": 409})
"""Nobody changes their own role but an org admin, and the last of those stays one."""

END_MEMBERSHIP = VIEW_MEMBERSHIP.but(oneself={"org_admin": 409})
"""Everyone may leave, but for the last org admin."""

VIEW_PERSON = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
oneself      401       ok     ok       ok      ok        ok       ok        401      403   401     401
own          401       404    404      404     ok        ok       404       401      403   401     401
shared       401       404    404      404     ok        ok       404       401      403   401     401
foreign      401       404    404      404     404       ok       404       401      403   401     401
nonexistent  401       404    404      404     404       404      404       401      403   401     401
""")

ACCESS_TOKEN = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
oneself      401       ok     ok       ok      ok        ok       ok        401      403   401     401
own          401       404    404      404     ok        ok       404       401      403   401     401
foreign      401       404    404      404     404       ok       404       401      403   401     401
nonexistent  401       404    404      404     404       404      404       401      403   401     401
""")
"""`oneself`: a token of one's own; the others belong to organizations."""

CHANGE_PERSON = VIEW_PERSON.but(oneself={"viewer": 403, "operator": 403, "manager": 403}, shared={"org_admin": 403})
"""Oneself at `/auth/me`; an org admin only whom no other organization shares. The developer administers a sandbox."""

ERASE_PERSON = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
oneself      401       403    403      403     403       403      403       401      403   401     401
own          401       403    403      403     403       ok       403       401      403   401     401
shared       401       403    403      403     403       ok       403       401      403   401     401
foreign      401       403    403      403     403       ok       403       401      403   401     401
nonexistent  401       403    403      403     403       404      403       401      403   401     401
""")

OWN_ONLY = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
oneself      401       ok     ok       ok      ok        ok       ok        401      403   401     401
own          401       404    404      404     404       404      404       401      403   401     401
foreign      401       404    404      404     404       404      404       401      403   401     401
nonexistent  401       404    404      404     404       404      404       401      403   401     401
""")
"""Nobody reaches another's, whatever their role."""

INVITATION = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
oneself      401       404    404      ok      ok        ok       404       401      403   401     401
own          401       404    404      404     ok        ok       404       401      403   401     401
foreign      401       404    404      404     404       ok       404       401      403   401     401
nonexistent  401       404    404      404     404       404      404       401      403   401     401
""")
"""`oneself`: one that the caller sent."""

SECRET_OF_THE_LINK = PUBLIC.but(alone={"edge_key": 401, "expired": 401, "revoked": 401})
"""The secret is the proof; but a credential that is none is refused first."""

SANDBOX = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
own          401       403    403      403     403       ok       ok        401      403   401     401
foreign      401       403    403      403     403       ok       404       401      403   401     401
real         401       403    403      403     403       404      404       401      403   401     401
nonexistent  401       403    403      403     403       404      404       401      403   401     401
""")
"""`foreign` is another developer's, `real` an organization that is none."""
