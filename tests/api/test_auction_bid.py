"""`POST /auctions/:id/bid`: first and later bids, proxies, raises; what a refused bid leaves."""

from typing import Any

import pytest

from distributions.core.models import Participation
from experiences.models import Event
from tests.api import bids
from tests.world import ConsumerClient, World, path_of


def test_a_first_bid_enters_and_is_winning(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    answer = guest.bid(auction, "100.00")
    assert answer.headers["Cache-Control"] == "no-store"
    body = bids.taken(answer)
    assert 2 <= body.pop("pollAfterSeconds") <= 30
    assert body == {
        "status": "QUEUED",
        "bidStatus": "WINNING",
        "consumerId": guest.id,
        "auctionId": auction.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "currencyCode": "EUR",
        "bidCount": 1,
        "lastBidAmount": "100.00",
        "lastBidTime": "2026-12-01T09:00:00Z",
        "currentBid": "100.00",
        "currentHighBid": "100.00",
        "minimumNextBid": "110.00",
    }
    status = bids.taken(guest.status(auction))
    del status["pollAfterSeconds"]
    assert status == body
    [bid] = bids.rows(auction)
    placed = bids.last_event(auction, "auction.bid.placed")
    assert (placed.actor, placed.consumer_id) == (f"consumer:{guest.id}", guest.id)
    data = {"bid": bid.pk, "kind": "BID", "amount": 10_000, "from": None, "to": 10_000}
    assert data.items() <= placed.data.items()
    assert bids.trace(auction) == ["auction.consumer.entered", "auction.bid.placed"]


def test_a_later_bid_outbids_and_the_other_one_sees_it(world: World, clock: Any) -> None:
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00")
    clock.shift(5)
    assert bids.taken(second.bid(auction, "110.00"))["bidStatus"] == "WINNING"
    lost = bids.taken(first.status(auction))
    assert (lost["status"], lost["bidStatus"], lost["lastBidAmount"]) == ("QUEUED", "OUTBID", "100.00")
    assert (lost["currentHighBid"], lost["minimumNextBid"]) == ("110.00", "120.00")
    assert "currentBid" not in lost
    assert bids.last_event(auction, "auction.bid.outbid").consumer_id == first.id
    clock.shift(5)
    back = bids.taken(first.bid(auction, "120.00"))
    assert (back["bidStatus"], back["bidCount"], back["enteredAt"]) == ("WINNING", 2, "2026-12-01T09:00:00Z")
    assert back["lastBidTime"] == "2026-12-01T09:00:10Z"
    assert Participation.objects.filter(distribution=auction).count() == 2
    assert Event.objects.filter(name="auction.consumer.entered").count() == 2


def test_who_leads_may_bid_higher(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00")
    assert bids.refused(guest.bid(auction, "105.00")) == ("BID_BELOW_INCREMENT", "110.00")
    assert bids.taken(guest.bid(auction, "200.00"))["currentHighBid"] == "200.00"
    assert bids.trace(auction).count("auction.bid.outbid") == 0


# --- Refused --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("amount", "code", "least"),
    [
        ("0.01", "BID_TOO_LOW", "110.00"),
        ("99.99", "BID_TOO_LOW", "110.00"),
        ("100.00", "BID_TOO_LOW", "110.00"),
        ("100.01", "BID_BELOW_INCREMENT", "110.00"),
        ("109.99", "BID_BELOW_INCREMENT", "110.00"),
    ],
)
def test_what_is_too_low_leaves_a_refused_row_and_a_trace_alone(
    world: World, clock: Any, amount: str, code: str, least: str
) -> None:
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00")
    before, traced = bids.state(auction), bids.trace(auction)
    assert bids.refused(second.bid(auction, amount, "500.00")) == (code, least)
    assert bids.state(auction) == before
    bid = bids.rows(auction)[-1]
    assert (bid.refusal, bid.amount, bid.consumer_id) == (code, round(float(amount) * 100), second.id)
    assert (bid.participation_id, bid.number, bid.high_after) == (None, 2, 10_000)
    assert bids.trace(auction) == [*traced, "auction.bid.refused"]
    told = bids.last_event(auction, "auction.bid.refused")
    assert told.consumer_id == second.id
    assert {"bid": bid.pk, "amount": bid.amount, "reason": code}.items() <= told.data.items()
    assert second.status(auction).json()["error"] == "Consumer not in auction"


def test_a_first_bid_below_the_starting_price(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    assert bids.refused(guest.bid(auction, "99.99")) == ("BID_TOO_LOW", "100.00")
    assert bids.price(world, auction) == (None, None, "100.00")
    assert not Participation.objects.exists()
    assert bids.taken(guest.bid(auction, "100.00"))["bidStatus"] == "WINNING"


def test_a_starting_price_of_nothing_asks_for_the_least_there_is(world: World, clock: Any) -> None:
    auction, guest = world.auction(starting=0), world.consumer()
    assert bids.price(world, auction) == (None, None, "0.01")
    assert guest.bid(auction, "0.00").json()["code"] == "VALIDATION_FAILED"
    assert bids.taken(guest.bid(auction, "0.01"))["minimumNextBid"] == "10.01"


# --- By proxy -------------------------------------------------------------------------------------
# Who bids how much and by proxy up to what; then the price and who is at it.
PROXIES: dict[str, tuple[list[tuple[int, str, str | None]], str, int]] = {
    "alone": ([(1, "100.00", "500.00")], "100.00", 1),
    "a bid below": ([(1, "100.00", "200.00"), (2, "110.00", None)], "120.00", 1),
    "a lower proxy": ([(1, "100.00", "200.00"), (2, "110.00", "150.00")], "160.00", 1),
    "nearly as high": ([(1, "100.00", "200.00"), (2, "110.00", "195.00")], "200.00", 1),
    "equal proxies: the earlier": ([(1, "100.00", "200.00"), (2, "110.00", "200.00")], "200.00", 1),
    "a bid of the maximum": ([(1, "100.00", "200.00"), (2, "200.00", None)], "200.00", 1),
    "a cent higher": ([(1, "100.00", "200.00"), (2, "110.00", "200.01")], "200.01", 2),
    "a bid within the increment": ([(1, "100.00", "200.00"), (2, "205.00", None)], "205.00", 2),
    "a higher proxy": ([(1, "100.00", "200.00"), (2, "110.00", "300.00")], "210.00", 2),
    "a proxy after a bid": ([(1, "100.00", None), (2, "110.00", "300.00")], "110.00", 2),
    "a named amount above need": ([(1, "100.00", "200.00"), (2, "250.00", "300.00")], "250.00", 2),
    "three": (
        [(1, "100.00", "200.00"), (2, "110.00", "150.00"), (3, "170.00", "180.00")], "190.00", 1,
    ),
    "back again": (
        [(1, "100.00", "200.00"), (2, "110.00", "150.00"), (2, "170.00", "250.00")], "210.00", 2,
    ),
    "equal, of three": (
        [(1, "100.00", "150.00"), (2, "110.00", "300.00"), (3, "170.00", "300.00")], "300.00", 2,
    ),
    "a raise": ([(1, "100.00", "200.00"), (1, "100.00", "300.00")], "100.00", 1),
    "a raise, then a lower proxy": (
        [(1, "100.00", None), (1, "100.00", "300.00"), (2, "110.00", "250.00")], "260.00", 1,
    ),
    "a raise is earlier than an equal one": (
        [(1, "100.00", None), (1, "100.00", "300.00"), (2, "110.00", "300.00")], "300.00", 1,
    ),
    "own bid below own maximum": (
        [(1, "100.00", "300.00"), (1, "150.00", None), (2, "160.00", "200.00")], "210.00", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PROXIES)
def test_a_proxy_bids_just_as_far_as_needed(world: World, clock: Any, case: str) -> None:
    made, expected, winner = PROXIES[case]
    auction, people = world.auction(), bids.bidders(world, 3)
    for who, amount, maximum in made:
        bids.taken(people[who - 1].bid(auction, amount, maximum))
    # Known by the order of their first bids, which is that of their numbers here.
    assert bids.price(world, auction)[:2] == (expected, f"Bidder {winner}")
    entered = {who for who, _, _ in made}
    for who in entered:
        status = bids.taken(people[who - 1].status(auction))
        assert status["bidStatus"] == ("WINNING" if who == winner else "OUTBID")
        assert status.get("currentBid") == (expected if who == winner else None)


def test_who_is_outbid_at_once_is_told_so(world: World, clock: Any) -> None:
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00", "200.00")
    body = bids.taken(second.bid(auction, "110.00", "150.00"))
    assert (body["status"], body["bidStatus"], body["lastBidAmount"]) == ("QUEUED", "OUTBID", "110.00")
    assert (body["currentHighBid"], body["minimumNextBid"]) == ("160.00", "170.00")
    assert bids.last_event(auction, "auction.bid.outbid").consumer_id == second.id


def test_the_leader_raises_their_maximum_and_the_price_stays(world: World, clock: Any) -> None:
    auction = world.auction()
    leader, other = bids.bidders(world, 2)
    leader.bid(auction, "100.00", "150.00")
    before = bids.highest(world, auction)
    clock.shift(5)
    body = bids.taken(leader.bid(auction, "100.00", "300.00"))
    assert (body["bidStatus"], body["currentBid"], body["bidCount"]) == ("WINNING", "100.00", 2)
    assert bids.highest(world, auction) == before
    assert bids.rows(auction)[-1].kind == "RAISE"
    for amount, maximum in (("100.00", "300.00"), ("100.00", "299.99"), ("99.99", "400.00")):
        assert bids.refused(leader.bid(auction, amount, maximum)) == ("BID_TOO_LOW", "110.00")
    # It is the leader's alone: nobody else names a price that is none.
    assert bids.refused(other.bid(auction, "100.00", "400.00")) == ("BID_TOO_LOW", "110.00")


def test_who_was_outbid_raises_nothing(world: World, clock: Any) -> None:
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00")
    second.bid(auction, "110.00")
    assert bids.refused(first.bid(auction, "100.00", "500.00")) == ("BID_TOO_LOW", "120.00")


def test_a_maximum_below_the_amount_is_none(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    body = guest.bid(auction, "100.00", "99.99").json()
    assert [detail["field"] for detail in body["details"]] == ["maxAmount"]
    assert bids.rows(auction) == []
    assert bids.taken(guest.bid(auction, "100.00", "100.00"))["currentBid"] == "100.00"


def seen_by_all(world: World, auction: Any, people: list[ConsumerClient]) -> str:
    """All that anyone is told of the auction, and all that the trace holds."""
    experience = f"/experiences/{world.sequence.experience_id}"
    path = path_of(auction)
    answers = []
    for person in people:
        answers += [person.get(f"{path}/{one}") for one in ("status", "bids", "bids/history", "highest-bid")]
        answers += [person.get("/consumers/me"), person.get(path), person.get(experience)]
    for anyone in (world.shop_front(), world.server()):
        answers += [anyone.get(path), anyone.get(f"{path}/highest-bid"), anyone.get(experience)]
    answers += [world.server().get(f"/consumers/{person.id}") for person in people]
    found = "".join(answer.content.decode() for answer in answers)
    return found + repr(list(Event.objects.values_list("data", flat=True)))


def test_the_maximum_is_in_no_answer_and_no_trace_before_and_after(world: World, clock: Any) -> None:
    auction = world.auction(claim_seconds=60)
    first, second, third = people = bids.bidders(world, 3)
    told = [first.bid(auction, "100.00", "777.77", key="first").content.decode()]
    told += [second.bid(auction, "110.00", "333.33").content.decode()]
    told += [third.bid(auction, "109.00", "888.88").content.decode()]  # refused
    told += [first.bid(auction, "100.00", "777.77", key="first").content.decode()]
    assert "343.33" in seen_by_all(world, auction, people[:2])  # a control: where the price shows, it is seen
    # The second one's maximum follows from the price, as it must; no other does.
    hidden = ("777.77", "77777", "888.88", "88888", "333.33")
    texts = [*told, seen_by_all(world, auction, people[:2])]
    clock.shift(600)
    bids.sweep()
    texts.append(seen_by_all(world, auction, people[:2]))
    assert "SETTLED" in texts[-1]
    world.server().post(f"{path_of(auction)}/complete", {"consumerId": first.id})
    texts.append(seen_by_all(world, auction, people[:2]))
    for text in texts:
        assert not [amount for amount in hidden if amount in text]
