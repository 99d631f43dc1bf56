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

ALREADY_SET_UP = grid("""
target       anonymous viewer operator manager org_admin platform developer edge_key token expired revoked
-            403       403    403      403     403       403      403       403      403   403     403
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

OWN_ORGANIZATION_BY_PLATFORM = ADMINISTER_ORGANIZATION.but(own={"org_admin": 403})
