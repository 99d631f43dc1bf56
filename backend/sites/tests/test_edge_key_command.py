"""`manage.py edge_key`"""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from sites import edge_keys
from testing.cast import Cast, EdgeKit, edge_kit


@pytest.fixture
def kit(cast: Cast) -> EdgeKit:
    return edge_kit(cast.own)


def run(*words: str) -> str:
    out = StringIO()
    call_command("edge_key", *words, stdout=out)
    return out.getvalue().strip()


def test_create_prints_a_key_that_works(kit: EdgeKit) -> None:
    found = edge_keys.find(run("create", "--edge", str(kit.edge.pk)))
    assert found is not None
    assert found.edge == kit.edge


def test_revoke_ends_a_key(kit: EdgeKit) -> None:
    assert run("revoke", "--prefix", kit.key.prefix) == f"revoked {kit.key.prefix}"
    assert edge_keys.find(kit.text) is None


def test_an_unknown_edge_or_prefix_is_named(kit: EdgeKit) -> None:
    with pytest.raises(CommandError, match="edge_999999"):
        run("create", "--edge", "999999")
    with pytest.raises(CommandError, match="nonsense"):
        run("revoke", "--prefix", "nonsense")


def test_a_third_live_key_is_refused_in_words(kit: EdgeKit) -> None:
    run("create", "--edge", str(kit.edge.pk))
    with pytest.raises(CommandError, match="2 live keys"):
        run("create", "--edge", str(kit.edge.pk))


def test_no_key_is_stored_or_shown_by_a_new_one(kit: EdgeKit) -> None:
    new = edge_keys.generate()
    assert new.text not in repr(new)
    assert new.text.split("_", 2)[2] not in new.secret_hash
