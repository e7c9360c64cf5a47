"""`GET …/bids` and `…/bids/history`: all bids by pseudonyms, own ones whole; in pages, newest first."""

from typing import Any

import pytest

from distributions.auctions.models import Bid
from tests.api import bids
from tests.world import ConsumerClient, World, assert_error, make_world, path_of


def pages(person: ConsumerClient, auction: Any, path: str, limit: int) -> list[list[dict[str, Any]]]:
    """All pages, by the cursor of each."""
    found, query = [], f"?limit={limit}"
    while True:
        body = bids.taken(person.get(f"{path_of(auction)}/{path}{query}"))
        found.append(body["data"])
        if body["nextCursor"] is None:
            return found
        query = f"?limit={limit}&cursor={body['nextCursor']}"


def listed(person: ConsumerClient, auction: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bids.taken(person.get(f"{path_of(auction)}/bids"))["data"]
    return found


def own(person: ConsumerClient, auction: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bids.taken(person.get(f"{path_of(auction)}/bids/history"))["data"]
    return found


def test_all_bids_by_pseudonyms_with_own_ones_marked(world: World, clock: Any) -> None:
    auction = world.auction(buy_now_price=50_000)
    first, second, third = bids.bidders(world, 3)
    second.bid(auction, "50.00")  # refused: nobody else sees it, and it names nobody
    first.bid(auction, "100.00", "150.00")
    clock.shift(5)
    second.bid(auction, "110.00")
    first.bid(auction, "110.00", "200.00")  # raises alone
    third.bid(auction, "500.00")
    made = [bid.pk for bid in bids.rows(auction) if not bid.refusal and bid.kind != "RAISE"]
    common = {"state": "VALID"}
    expected = [
        {
            **common, "id": made[2], "bidder": "Bidder 3", "isOwn": False, "kind": "BUY_NOW",
            "amount": "500.00", "at": "2026-12-01T09:00:05Z", "currentHighBid": "500.00",
        },
        {
            **common, "id": made[1], "bidder": "Bidder 2", "isOwn": True, "kind": "BID",
            "amount": "110.00", "at": "2026-12-01T09:00:05Z", "currentHighBid": "120.00",
        },
        {
            **common, "id": made[0], "bidder": "Bidder 1", "isOwn": False, "kind": "BID",
            "amount": "100.00", "at": "2026-12-01T09:00:00Z", "currentHighBid": "100.00",
        },
    ]  # fmt: skip
    assert listed(second, auction) == expected
    onlooker = listed(world.consumer(), auction)
    assert onlooker == [{**bid, "isOwn": False} for bid in expected]
    text = repr(listed(second, auction))
    assert not [person.id for person in (first, second, third) if person.id in text]


def test_pseudonyms_stay_and_are_this_auctions_own(world: World, clock: Any) -> None:
    auction, other = world.auction(), world.auction()
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00")
    second.bid(auction, "110.00")
    first.bid(auction, "120.00")
    second.bid(other, "100.00")
    first.bid(other, "110.00")
    assert [bid["bidder"] for bid in listed(first, auction)] == ["Bidder 1", "Bidder 2", "Bidder 1"]
    assert [bid["bidder"] for bid in listed(first, other)] == ["Bidder 2", "Bidder 1"]
    assert bids.highest(world, auction)["bidder"] == "Bidder 1"
    denial = {"consumerId": first.id, "reason": "ADMIN_ACTION"}
    world.server().post(f"{path_of(auction)}/deny", denial)
    found = [(bid["bidder"], bid["state"]) for bid in listed(second, auction)]
    assert found == [("Bidder 1", "VOID"), ("Bidder 2", "VALID"), ("Bidder 1", "VOID")]
    clock.shift(600)
    bids.sweep()
    assert [(bid["bidder"], bid["state"]) for bid in listed(second, auction)] == found
    assert bids.highest(world, auction)["bidder"] == "Bidder 2"


def test_ones_own_history_has_raises_and_refusals(world: World, clock: Any) -> None:
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    first.bid(auction, "99.00")
    first.bid(auction, "100.00")
    clock.shift(5)
    first.bid(auction, "100.00", "300.00")
    second.bid(auction, "110.00")
    first.bid(auction, "120.00")
    found = own(first, auction)
    told = [(bid["kind"], bid["state"], bid["amount"], bid.get("reason")) for bid in found]
    assert told == [
        ("BID", "REFUSED", "120.00", "BID_TOO_LOW"),
        ("RAISE", "VALID", "100.00", None),
        ("BID", "VALID", "100.00", None),
        ("BID", "REFUSED", "99.00", "BID_TOO_LOW"),
    ]
    assert [bid["currentHighBid"] for bid in found] == ["120.00", "100.00", "100.00", None]
    assert [bid["at"] for bid in found] == ["2026-12-01T09:00:05Z"] * 2 + ["2026-12-01T09:00:00Z"] * 2
    assert found[0]["id"] == bids.rows(auction)[-1].pk
    assert own(world.consumer(), auction) == []
    assert [bid["amount"] for bid in own(second, auction)] == ["110.00"]


# --- Pages ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_have_each_bid_once_and_end(world: World, clock: Any, limit: int) -> None:
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    for number in range(7):
        (first, second)[number % 2].bid(auction, f"{100 + 10 * number}.00")
        second.bid(auction, "1.00")
    found = pages(first, auction, "bids", limit)
    assert [bid["amount"] for page in found for bid in page] == [
        f"{amount}.00" for amount in range(160, 90, -10)
    ]
    assert {len(page) for page in found[:-1]} <= {limit}
    assert 1 <= len(found[-1]) <= limit
    theirs = pages(second, auction, "bids/history", limit)
    numbers = [bid["id"] for page in theirs for bid in page]
    stored = Bid.objects.filter(consumer_id=second.id).order_by("-number").values_list("pk", flat=True)
    assert numbers == list(stored)
    assert len(numbers) == 10


def test_bids_that_come_while_one_reads_move_no_page(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    for amount in (100, 110, 120):
        guest.bid(auction, f"{amount}.00")
    page = bids.taken(guest.get(f"{path_of(auction)}/bids?limit=2"))
    guest.bid(auction, "130.00")
    rest = bids.taken(guest.get(f"{path_of(auction)}/bids?limit=2&cursor={page['nextCursor']}"))
    assert [bid["amount"] for bid in page["data"] + rest["data"]] == ["120.00", "110.00", "100.00"]
    assert rest["nextCursor"] is None


def test_without_a_limit_fifty(world: World, clock: Any) -> None:
    auction, guest = world.auction(starting=100, increment=100), world.consumer()
    for amount in range(1, 53):
        guest.bid(auction, amount)
    body = bids.taken(guest.get(f"{path_of(auction)}/bids"))
    assert len(body["data"]) == 50
    assert body["nextCursor"] is not None


@pytest.mark.parametrize("path", ["bids", "bids/history"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("limit=" + "9" * 400, "limit"),
        ("cursor=x", "cursor"),
        ("cursor=0", "cursor"),
        ("cursor=-5", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=" + "9" * 19, "cursor"),
        ("cursor=" + "9" * 2000, "cursor"),
        ("cursor=1;DROP", "cursor"),
    ],
)
def test_a_bad_page_is_refused(world: World, clock: Any, path: str, query: str, field: str) -> None:
    auction, guest = world.auction(), world.consumer()
    body = assert_error(guest.get(f"{path_of(auction)}/{path}?{query}"), 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == [field]


def test_a_cursor_from_elsewhere_shows_nothing_of_elsewhere(world: World, clock: Any) -> None:
    stranger = make_world()
    theirs, visitor = stranger.auction(), stranger.consumer()
    for amount in ("100.00", "110.00"):
        visitor.bid(theirs, amount)
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00")
    assert [bid["isOwn"] for bid in bids.taken(guest.get(f"{path_of(auction)}/bids?cursor=999"))["data"]] == [
        True
    ]
    assert_error(guest.get(f"{path_of(theirs)}/bids"), 404, "Auction not found", "AUCTION_NOT_FOUND")


def test_lists_are_kept_by_nobody(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    for path in ("bids", "bids/history", "status"):
        guest.bid(auction, "100.00")
        assert guest.get(f"{path_of(auction)}/{path}").headers["Cache-Control"] == "no-store"
