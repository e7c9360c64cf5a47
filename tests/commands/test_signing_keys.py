"""`manage.py signing_keys`: rotation keeps what is out, revocation ends it."""

import io
from typing import Any

from django.core.management import call_command

from tests.world import World, assert_error


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("signing_keys", *words, stdout=out)
    return out.getvalue()


def test_rotate_keeps_old_tokens_and_revoking_ends_them(world: World, clock: Any) -> None:
    queue = world.queue()
    early = world.consumer()
    assert early.enter(queue).status_code == 200
    [old] = run("list").splitlines()
    assert old.endswith("signs")

    clock.shift(1)
    new = run("rotate").split()[0]
    lines = run("list").splitlines()
    assert [line.split()[0] for line in lines] == [new, old.split()[0]]
    assert lines[0].endswith("signs")
    assert "verifies" in lines[1]
    assert early.status(queue).status_code == 200
    published = {key["kid"] for key in early.client.get("/.well-known/jwks.json").json()["keys"]}
    assert published == {new, old.split()[0]}

    clock.shift(1)
    run("rotate", "--revoke-old")
    assert_error(early.status(queue), 401, "Authentication required")
    assert world.consumer().enter(queue).status_code == 200
    assert sum("revoked" in line for line in run("list").splitlines()) == 2


def test_list_of_none(transactional_db: None) -> None:
    assert run("list") == "No signing key yet; the first start makes one.\n"
