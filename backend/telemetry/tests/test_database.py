"""The connection that queries share with Django."""

from __future__ import annotations

import pytest
from django.db import close_old_connections, connections

from telemetry import database


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_has_closed_is_made_anew_for_the_next_request() -> None:
    mine = database.connection()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [mine.info.backend_pid])
    other.close()
    close_old_connections()  # as at the start of a request
    assert database.connection().execute("SELECT 1").fetchone() == (1,)
