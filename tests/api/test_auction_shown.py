"""`GET /auctions/:id` and `highest-bid`: what anyone may see, for how long, and when to look again."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distributions.auctions import steering
from tests.api import bids
from tests.conftest import START
from tests.world import World, make_auction, path_of


def test_an_auction_shows_itself(world: World, clock: Any) -> None:
    auction = world.auction(
        opens_in=10, reserve_price=30_000, buy_now_price=90_000, winner_count=2, extension_window_seconds=60,
        extension_seconds=120, max_extensions=5, hard_end_at=START + dt.timedelta(hours=1),
        settle_at=START + dt.timedelta(hours=2), claim_seconds=300, second_chance=True,
        increment_table=[{"from": "200.00", "increment": "20.00"}], supports_guest=False,
    )  # fmt: skip
    answer = world.shop_front().get(path_of(auction))
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert {"X-Publishable-Key", "Authorization"} <= set(answer.headers["Vary"].split(", "))
    assert answer.json() == {
        "id": auction.pk,
        "name": "The auction",
        "sequenceId": world.sequence.id,
        "experienceId": world.sequence.experience_id,
        "status": "PENDING",
        "openAt": "2026-12-01T09:00:10Z",
        "closeAt": "2026-12-01T09:10:00Z",
        "timeZone": "UTC",
        "supportsGuest": False,
        "currencyCode": "EUR",
        "startingPrice": "100.00",
        "minimumBidIncrement": "10.00",
        "incrementTable": [{"from": "200.00", "increment": "20.00"}],
        "reserveMet": False,
        "buyNowPrice": "900.00",
        "winnerCount": 2,
        "currentHighBid": None,
        "minimumNextBid": "100.00",
        "bidCount": 0,
        "extensionWindowSeconds": 60,
        "extensionSeconds": 120,
        "extensionsLeft": 5,
        "hardEndAt": "2026-12-01T10:00:00Z",
        "settleAt": "2026-12-01T11:00:00Z",
        "claimSeconds": 300,
        "secondChance": True,
    }


def test_what_changes_from_stage_to_stage(world: World, clock: Any) -> None:
    auction = world.auction(opens_in=10, settle_at=START + dt.timedelta(seconds=660))
    guest = world.consumer()

    def seen() -> list[Any]:
        shown = world.server().get(path_of(auction)).json()
        return [
            shown.get(name)
            for name in ("status", "currentHighBid", "minimumNextBid", "bidCount", "settledAt")
        ]

    assert seen() == ["PENDING", None, "100.00", 0, None]
    clock.shift(10)
    assert seen() == ["OPEN", None, "100.00", 0, None]
    guest.bid(auction, "100.00")
    guest.bid(auction, "105.00")
    assert seen() == ["OPEN", "100.00", "110.00", 1, None]
    clock.shift(590)
    assert seen() == ["CLOSED", "100.00", None, 1, None]
    clock.shift(60)
    assert seen() == ["SETTLED", "100.00", None, 1, "2026-12-01T09:11:00Z"]


def test_a_cancelled_auction_is_closed_and_says_when(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00")
    clock.shift(5)
    steering.cancel(auction.pk, reason="Broken", actor="staff:1")
    shown = bids.shown(world, auction)
    assert (shown["status"], shown["cancelledAt"]) == ("CLOSED", "2026-12-01T09:00:05Z")
    assert (shown["minimumNextBid"], shown["buyNowPrice"]) == (None, None)
    [bid] = bids.taken(guest.get(f"{path_of(auction)}/bids"))["data"]
    assert bid["state"] == "VOID"
    assert bids.how(guest.status(auction)) == ("DENIED", "LOST", "ADMIN_ACTION")
    assert guest.bid(auction, "100.00").json()["code"] == "AUCTION_CLOSED"
    bids.sweep()
    assert bids.how(guest.status(auction)) == ("DENIED", "LOST", "ADMIN_ACTION")
    clock.shift(600)
    assert bids.shown(world, auction)["status"] == "CLOSED"
    assert "auction.settled" not in bids.trace(auction)


def test_the_highest_bid_is_null_until_there_is_one(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    assert bids.highest(world, auction) == {
        "amount": None, "bidder": None, "at": None, "minimumNextBid": "100.00"
    }  # fmt: skip
    clock.shift(5)
    guest.bid(auction, "100.00", "500.00")
    first = {
        "amount": "100.00",
        "bidder": "Bidder 1",
        "at": "2026-12-01T09:00:05Z",
        "minimumNextBid": "110.00",
    }
    assert bids.highest(world, auction) == first
    clock.shift(5)
    world.consumer().bid(auction, "110.00")
    risen = {**first, "amount": "120.00", "at": "2026-12-01T09:00:10Z", "minimumNextBid": "130.00"}
    assert bids.highest(world, auction) == risen
    clock.shift(600)
    assert bids.highest(world, auction) == {**risen, "minimumNextBid": None}


# --- Kept for a second ----------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["", "/highest-bid"])
def test_who_has_it_already_is_told_so_until_it_changes(world: World, clock: Any, path: str) -> None:
    auction, guest, front = world.auction(ends_in=3600), world.consumer(), world.shop_front()
    address = f"{path_of(auction)}{path}"
    first = front.get(address)
    tag = first.headers["ETag"]
    for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        same = front.get(address, **{"If-None-Match": given})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
        assert same.headers["Cache-Control"] == "public, max-age=1"
    assert guest.get(address).headers["ETag"] == tag  # the same for everyone
    guest.bid(auction, "50.00")  # refused: nothing to see
    assert front.get(address, **{"If-None-Match": tag}).status_code == 304
    guest.bid(auction, "100.00")
    changed = front.get(address, **{"If-None-Match": tag})
    assert (changed.status_code, changed.headers["Cache-Control"]) == (200, "public, max-age=1")
    assert changed.headers["ETag"] != tag
    assert front.get(address, **{"If-None-Match": changed.headers["ETag"]}).status_code == 304


def test_a_moved_closing_changes_the_tag(world: World, clock: Any) -> None:
    auction = world.auction(extension_window_seconds=60, extension_seconds=120)
    guest, front = world.consumer(), world.shop_front()
    guest.bid(auction, "100.00")
    clock.shift(590)
    tag = front.get(path_of(auction)).headers["ETag"]
    guest.bid(auction, "100.00", "200.00")  # a raise: nothing may tell of it
    assert front.get(path_of(auction), **{"If-None-Match": tag}).status_code == 304
    guest.bid(auction, "150.00")
    moved = front.get(path_of(auction), **{"If-None-Match": tag})
    assert (moved.status_code, moved.json()["closeAt"]) == (200, "2026-12-01T09:11:50Z")


# --- When to look again ---------------------------------------------------------------------------
def test_the_advice_tightens_towards_the_end(world: World, clock: Any) -> None:
    auction, guest = world.auction(ends_in=3000), world.consumer()
    guest.bid(auction, "100.00")
    public, personal = [], []
    for left in (3000, 450, 300, 150, 60, 30, 5, 0.5):
        clock.move_to(START + dt.timedelta(seconds=3000 - left))
        public.append(bids.shown(world, auction)["pollAfterSeconds"])
        personal.append([bids.taken(guest.status(auction))["pollAfterSeconds"] for _ in range(20)])
    assert public == [30, 30, 20, 10, 4, 2, 2, 2]
    for advised, spread in zip(public, personal, strict=True):
        assert all(max(2, advised * 0.8 - 1) <= one <= min(30, advised * 1.2 + 1) for one in spread)
    assert len(set(personal[2])) > 1  # not all at once
    assert set(personal[-1]) == {2}


def test_the_advice_waits_for_the_hour_of_settling_and_ends_with_it(world: World, clock: Any) -> None:
    auction = world.auction(settle_at=START + dt.timedelta(seconds=610))
    guest = world.consumer()
    guest.bid(auction, "100.00")
    clock.shift(600)
    assert 8 <= bids.taken(guest.status(auction))["pollAfterSeconds"] <= 12
    assert "pollAfterSeconds" not in bids.shown(world, auction)
    clock.shift(10)
    assert "pollAfterSeconds" not in bids.taken(guest.status(auction))


# --- Beside other things --------------------------------------------------------------------------
def test_ones_own_page_shows_the_auctions_one_bids_in(world: World, clock: Any) -> None:
    winning, losing, quiet = world.auction(), world.auction(), world.auction()
    guest, other = bids.bidders(world, 2)
    guest.bid(winning, "100.00")
    guest.bid(losing, "100.00")
    other.bid(losing, "110.00")
    other.bid(quiet, "100.00")

    def mine() -> tuple[dict[str, Any], dict[str, Any]]:
        active = bids.taken(guest.get("/consumers/me"))["active"]
        for body in active["auctions"].values():
            body.pop("pollAfterSeconds", None)
        return active["auctions"], active["admissions"]

    def told(auction: Any) -> dict[str, Any]:
        body = bids.taken(guest.status(auction))
        body.pop("pollAfterSeconds", None)
        return body

    assert mine() == ({winning.pk: told(winning), losing.pk: told(losing)}, {})
    clock.shift(600)
    won, inside = mine()  # the first to come after the end
    assert won == {winning.pk: told(winning)}
    assert set(inside) == {winning.pk}
    assert won[winning.pk]["winningAmount"] == "100.00"


def test_an_experience_shows_its_auctions(world: World, clock: Any) -> None:
    auction = world.auction()
    other = make_auction(world.sequence_with("later"), opens_in=10, currency_code="JPY")
    front, guest = world.shop_front(), world.consumer()

    def shown() -> dict[str, Any]:
        body = front.get(f"/experiences/{world.sequence.experience_id}").json()
        return {one["id"]: one for way in body["sequences"] for one in way["auctions"]}

    for _ in range(3):
        assert shown() == {pk: front.get(f"/auctions/{pk}").json() for pk in (auction.pk, other.pk)}
        guest.bid(auction, "100.00")
        clock.shift(300)
        bids.sweep()
    assert {one["status"] for one in shown().values()} == {"SETTLED"}


def test_an_experience_closes_with_its_auction_as_extended(world: World, clock: Any) -> None:
    auction = world.auction(extension_window_seconds=60, extension_seconds=120)
    path, guest = f"/experiences/{world.sequence.experience_id}", world.consumer()
    assert world.shop_front().get(path).json()["closeAt"] == "2026-12-01T09:10:00Z"
    clock.shift(590)
    guest.bid(auction, "100.00")
    assert world.shop_front().get(path).json()["closeAt"] == "2026-12-01T09:11:50Z"


def test_what_was_lost_costs_nothing_each_time(world: World, clock: Any) -> None:
    """A loser's row stays as it is, so a consumer may have many; they are looked at together."""
    guest, rival = world.consumer(), world.consumer()

    def lose(number: int) -> int:
        for auction in [world.auction() for _ in range(number)]:
            guest.bid(auction, "100.00")
            rival.bid(auction, "200.00")
            steering.close_now(auction.pk, actor="staff:1")
        with CaptureQueriesContext(connection) as asked:
            assert guest.get("/consumers/me").json()["active"]["auctions"] == {}
        return len(asked)

    assert lose(1) == lose(5)
