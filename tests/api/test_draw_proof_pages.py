"""The proof in pages and as a file: the same, whole, and not too often."""

from typing import Any

import pytest

from distributions.core.models import Distribution
from tests.api.lots import enter_all, file_of, freeze_and_draw, proof
from tests.api.servers import redis_away
from tests.lines import fill
from tests.world import World, assert_error

OF_RESULT = {"winners", "alternates", "placesOffered", "passedOver"}


def pages(world: World, of: Distribution, limit: int) -> list[dict[str, Any]]:
    """All pages, by following the cursor."""
    found = [proof(world, of, f"?limit={limit}")]
    while cursor := found[-1]["entries"]["nextCursor"]:
        found.append(proof(world, of, f"?limit={limit}&cursor={cursor}"))
    return found


@pytest.mark.parametrize("limit", [1, 7, 13, 14, 10_000])
def test_the_file_is_all_pages_together(world: World, clock: Any, limit: int) -> None:
    draw = world.draw(winner_count=3, claim_seconds=600)
    people = enter_all(world, draw, 2)
    people[0].leave(draw)
    fill(draw, world, 11)
    freeze_and_draw(draw)
    whole = file_of(world, draw)
    assert whole["entries"]["first"] == 1
    assert whole["entries"]["nextCursor"] is None
    found = pages(world, draw, limit)
    assert len(found) == -(-13 // limit)
    lines: list[str] = []
    for page in found:
        assert page["entries"]["first"] == len(lines) + 1
        lines += page["entries"]["data"]
    assert lines == whole["entries"]["data"]
    assert len(lines) == 13
    in_order = whole["winners"] + whole["alternates"]
    assert len(in_order) == 12
    assert found[0]["winners"] + found[0]["alternates"] == in_order[:limit]
    assert len(found[0]["winners"]) == min(3, limit)
    parts = ("entries", "winners", "alternates")
    assert {**found[0], **{name: whole[name] for name in parts}} == whole
    for page in found[1:]:
        assert set(page) == set(whole) - OF_RESULT
        assert {name: page[name] for name in set(page) - {"entries"}} == {
            name: whole[name] for name in set(page) - {"entries"}
        }


def test_a_page_has_a_thousand_unless_said(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=1)
    fill(draw, world, 1001)
    freeze_and_draw(draw)
    first = proof(world, draw)
    assert (len(first["entries"]["data"]), first["entries"]["nextCursor"]) == (1000, "1001")
    last = proof(world, draw, "?cursor=1001")["entries"]
    assert (last["first"], len(last["data"]), last["nextCursor"]) == (1001, 1, None)
    assert len(file_of(world, draw)["entries"]["data"]) == 1001


def test_a_list_longer_than_the_file_is_written_at_once(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=1)
    fill(draw, world, 10_001)
    freeze_and_draw(draw)
    found = pages(world, draw, 10_000)
    assert [len(page["entries"]["data"]) for page in found] == [10_000, 1]
    lines = [line for page in found for line in page["entries"]["data"]]
    assert file_of(world, draw)["entries"] == {"first": 1, "data": lines, "nextCursor": None}
    # A thousand alternates stand in order beside the winner; the verifier knows the others' ranks anyway.
    assert (len(found[0]["winners"]), len(found[0]["alternates"])) == (1, 1000)


def test_past_the_end_there_is_nothing(world: World, clock: Any) -> None:
    draw = world.draw()
    enter_all(world, draw, 2)
    freeze_and_draw(draw)
    for cursor in (3, 1000, 2**40):
        page = proof(world, draw, f"?cursor={cursor}")
        assert page["entries"] == {"first": cursor, "data": [], "nextCursor": None}


@pytest.mark.parametrize("stage", ["committed", "drawn"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "10001", "x", "-1", "1.5", "", "9" * 30, "1e3", "0x10")),
        *(("cursor", value) for value in ("0", "-1", "x", "", "1.5", str(2**40 + 1), "9" * 2000, "null")),
    ],
)
def test_what_is_no_page(world: World, clock: Any, stage: str, name: str, value: str) -> None:
    draw = world.draw()
    if stage == "drawn":
        freeze_and_draw(draw)
    answer = world.shop_front().get(f"/draws/{draw.pk}/proof?{name}={value}")
    body = assert_error(answer, 400, "Validation failed", "VALIDATION_FAILED")
    assert [detail["field"] for detail in body["details"]] == [name]


def test_a_file_is_to_be_saved(world: World, clock: Any) -> None:
    world.organization.allowed_origins = ["https://shop.example.com"]
    world.organization.save(update_fields=["allowed_origins"])
    draw = world.draw()
    enter_all(world, draw, 2)
    origin = {"Origin": "https://shop.example.com"}
    for is_drawn in (False, True):
        if is_drawn:
            freeze_and_draw(draw)
        answer = world.shop_front().get(f"/draws/{draw.pk}/proof/file", **origin)
        assert answer.headers["Content-Type"] == "application/json"
        name = f'attachment; filename="proof-{draw.pk}.json"'
        assert answer.headers["Content-Disposition"] == name
        assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]
        assert answer.headers["Cache-Control"] == "no-store"
        page = world.shop_front().get(f"/draws/{draw.pk}/proof", **origin)
        assert page.headers["Access-Control-Allow-Origin"] == origin["Origin"]


# --- How often ------------------------------------------------------------------------------------
def test_ten_files_a_minute_and_address(world: World, clock: Any) -> None:
    draw, other = world.draw(), world.draw()
    path, front = f"/draws/{draw.pk}/proof/file", world.shop_front()
    clock.shift(1)
    assert [front.get(path).status_code for _ in range(10)] == [200] * 10
    refused = front.get(path)
    body = assert_error(refused, 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")
    assert 0 < body["retryAfter"] == int(refused.headers["Retry-After"]) <= 60
    assert world.server().get(f"/draws/{other.pk}/proof/file").status_code == 429  # whichever, whoever asks
    assert world.consumer().get(f"/draws/{draw.pk}/proof").status_code == 200  # pages are counted apart
    elsewhere = world.shop_front()
    elsewhere.client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert elsewhere.get(path).status_code == 200
    clock.shift(body["retryAfter"] + 1)
    assert front.get(path).status_code == 200


def test_so_many_pages_a_minute_and_address(world: World, clock: Any) -> None:
    draw, front = world.draw(), world.shop_front()
    path = f"/draws/{draw.pk}/proof"
    clock.shift(1)
    assert {front.get(path).status_code for _ in range(120)} == {200}
    body = assert_error(front.get(path), 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")
    assert front.get(f"{path}/file").status_code == 200
    clock.shift(body["retryAfter"] + 1)
    assert front.get(path).status_code == 200


def test_what_is_not_there_is_not_counted(world: World, clock: Any) -> None:
    front, path = world.shop_front(), "/draws/draw_00000000000000000000000000/proof/file"
    for _ in range(12):
        assert_error(front.get(path), 404, "Draw not found")
    assert front.get(f"/draws/{world.draw().pk}/proof/file").status_code == 200


def test_without_redis_it_is_there_all_the_same(world: World, clock: Any) -> None:
    draw = world.draw()
    enter_all(world, draw, 2)
    freeze_and_draw(draw)
    known = file_of(world, draw)
    with redis_away():
        assert [file_of(world, draw) for _ in range(12)] == [known] * 12
        assert proof(world, draw) == known
