"""What staff do to an auction under way, and with what effect: extend, close, cancel, take one bid back."""

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from distributions import tasks
from distributions.auctions.models import Auction, Bid
from distributions.core.models import Distribution
from experiences.models import Event
from fanfare import clock as time
from tests.console.conftest import Console, messages_of
from tests.console.pages import BID, DISTRIBUTION, bid_on, numbers, offered, text_of
from tests.world import World, assert_error, loaded, path_of


def shown(world: World, auction: Distribution) -> dict[str, Any]:
    """The auction as anybody sees it."""
    found: dict[str, Any] = world.shop_front().get(path_of(auction)).json()
    return found


def traced(auction: Distribution, name: str) -> Event:
    return Event.objects.filter(distribution_id=auction.pk, name=name).latest("id")


def at(day: str, clock_time: str) -> dict[str, str]:
    """A time as the form of a button has it."""
    return {"close_at_0": day, "close_at_1": clock_time}


def field_errors(page: Any) -> list[str]:
    """The fields of a button's form at which something is said to be wrong."""
    return list(page.context["form"].errors)


# --- Extending ------------------------------------------------------------------------------------
def test_an_editor_extends(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction()
    Distribution.objects.update(time_zone="Asia/Tokyo")
    assert offered(editor.open(DISTRIBUTION, auction)) == ["extend", "close", "cancel"]
    ask = editor.get(reverse(f"admin:{DISTRIBUTION}_press", args=[auction.pk, "extend"]))
    text = text_of(ask)
    assert all(
        known in text for known in ('value="18:10:00"', 'value="2026-12-01"', "Time zone: Asia/Tokyo.")
    )
    page = editor.press(DISTRIBUTION, auction, "extend", **at("2026-12-01", "20:00:00"))
    assert "It closes at 1 Dec 2026, 20:00:00 JST" in messages_of(page).replace("\N{NO-BREAK SPACE}", " ")
    assert numbers(page)["Closes"] == "20:00:00"
    assert shown(world, auction)["closeAt"] == "2026-12-01T11:00:00Z"
    event = traced(auction, "auction.extended")
    assert (event.actor, event.data["to"]) == (editor.actor, "2026-12-01T11:00:00Z")
    clock.shift(600)
    assert world.consumer().bid(auction, "100").status_code == 200


@pytest.mark.parametrize(
    "told",
    [
        at("2026-12-01", "09:10:00"),  # as it closes anyway
        at("2026-12-01", "08:00:00"),
        at("2026-12-01", "10:00:01"),  # beyond the hard end
        at("", ""), at("2026-12-01", ""), at("x", "y"), at("2026-13-01", "09:30:00"),
        at("0001-01-01", "00:00:00"), at("9999-12-31", "23:59:59"),
    ],
)  # fmt: skip
def test_what_is_no_extension_is_refused(
    editor: Console, world: World, clock: Any, told: dict[str, str]
) -> None:
    auction = world.auction(hard_end_at=time.now() + dt.timedelta(hours=1))
    page = editor.press(DISTRIBUTION, auction, "extend", **told)
    assert (page.status_code, field_errors(page)) == (200, ["close_at"])
    assert loaded(auction).close_at == auction.close_at
    assert not Event.objects.filter(name="auction.extended").exists()


def test_no_longer_than_the_hard_end(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction(hard_end_at=time.now() + dt.timedelta(hours=1))
    page = editor.press(DISTRIBUTION, auction, "extend", **at("2026-12-01", "10:00:00"))
    assert offered(page) == ["close", "cancel"]
    assert "no longer possible" in messages_of(
        editor.press(DISTRIBUTION, auction, "extend", **at("2026-12-01", "10:00:00"))
    )


def test_what_closes_by_hand_may_be_given_an_end(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction(ends_in=None)
    page = editor.press(DISTRIBUTION, auction, "extend", **at("2026-12-01", "10:00:00"))
    assert numbers(page)["Closes"] == "10:00:00"
    assert shown(world, auction)["closeAt"] == "2026-12-01T10:00:00Z"


# --- Closing --------------------------------------------------------------------------------------
def test_close_now(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction(claim_seconds=600)
    winner, other = world.consumer(), world.consumer()
    other.bid(auction, "100")
    winner.bid(auction, "120", "300")
    ask = reverse(f"admin:{DISTRIBUTION}_press", args=[auction.pk, "close"])
    assert "no way back" in text_of(editor.get(ask))
    assert loaded(auction).closed_at is None
    clock.shift(30)
    page = editor.press(DISTRIBUTION, auction, "close")
    assert "Closed and settled: 1 won." in messages_of(page)
    assert (page.context["phase"], numbers(page)["Closed"], offered(page)) == (
        "SETTLED",
        "09:00:30",
        [],
    )
    body = winner.status(auction).json()
    assert (body["status"], body["winningAmount"]) == ("ADMITTED", "120.00")
    assert other.status(auction).json()["denyReason"] == "OUTBID"
    assert_error(world.consumer().bid(auction, "500"), 400, "Auction is closed", "AUCTION_CLOSED")
    closed, settled = traced(auction, "auction.closed"), traced(auction, "auction.settled")
    assert (closed.actor, closed.data["byHand"], settled.actor) == (editor.actor, True, editor.actor)
    for button in ("extend", "close", "cancel"):
        pressed = editor.press(DISTRIBUTION, auction, button, reason="x", **at("2030-01-01", "00:00:00"))
        assert "no longer possible" in messages_of(pressed), button
    assert winner.status(auction).json()["status"] == "ADMITTED"


def test_closed_now_and_settled_later(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction(settle_at=time.now() + dt.timedelta(minutes=30))
    winner = world.consumer()
    winner.bid(auction, "100")
    page = editor.press(DISTRIBUTION, auction, "close")
    said = messages_of(page).replace("\N{NO-BREAK SPACE}", " ")
    assert "Winners are admitted at 1 Dec 2026, 09:30:00 UTC." in said
    assert (page.context["phase"], offered(page)) == ("CLOSED", ["cancel"])
    clock.shift(1800)
    tasks.tick_auctions()
    assert winner.status(auction).json()["status"] == "ADMITTED"


def test_what_is_not_open_is_not_closed(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction(opens_in=60)
    assert offered(editor.open(DISTRIBUTION, auction)) == ["extend", "cancel"]
    assert "no longer possible" in messages_of(editor.press(DISTRIBUTION, auction, "close"))
    over = world.auction(ends_in=5)
    clock.shift(5)
    assert offered(editor.open(DISTRIBUTION, over)) == ["cancel"]  # until it is settled
    assert loaded(auction).closed_at is None


# --- Cancelling -----------------------------------------------------------------------------------
def test_cancel(editor: Console, viewer: Console, world: World, clock: Any) -> None:
    auction = world.auction(buy_now_price=90_000, winner_count=2)
    bidder, buyer = world.consumer(), world.consumer()
    bidder.bid(auction, "100", "300")
    assert buyer.bid(auction, "900").json()["status"] == "ADMITTED"
    page = editor.press(DISTRIBUTION, auction, "cancel", reason=" ")
    assert field_errors(page) == ["reason"]
    assert field_errors(editor.press(DISTRIBUTION, auction, "cancel", reason="x" * 201)) == ["reason"]
    assert Auction.objects.get().cancelled_at is None
    page = editor.press(DISTRIBUTION, auction, "cancel", reason="It broke")
    assert "Cancelled for good: 2 bids are void" in messages_of(page)
    found = numbers(page)
    assert (found["Price"], found["Next bid"], found["Cancelled"]) == ("none", "none", "09:00:00")
    assert (page.context["phase"], offered(page)) == ("CLOSED", [])
    assert [bid.void_reason for bid in Bid.objects.all()] == ["It broke", "It broke"]
    tasks.tick_auctions()
    for consumer in (bidder, buyer):
        body = consumer.status(auction).json()
        assert (body["status"], body["denyReason"]) == ("DENIED", "ADMIN_ACTION")
    assert "cancelledAt" in shown(world, auction)
    event = traced(auction, "auction.cancelled")
    assert (event.actor, event.data["bids"]) == (editor.actor, 2)
    text = text_of(viewer.open(BID, bid_on(auction, 1)))
    assert all(known in text for known in ("Void", "It broke", "never shown"))
    assert offered(editor.open(BID, bid_on(auction, 1))) == []
    for button in ("extend", "close", "cancel"):
        pressed = editor.press(DISTRIBUTION, auction, button, reason="x", **at("2030-01-01", "00:00:00"))
        assert "no longer possible" in messages_of(pressed), button
    assert "no longer possible" in messages_of(editor.press(BID, bid_on(auction, 1), "void", reason="x"))


# --- Voiding --------------------------------------------------------------------------------------
def test_void_one_bid(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction()
    first, second = world.consumer(), world.consumer()
    first.bid(auction, "100", "200")
    second.bid(auction, "180")
    assert shown(world, auction)["currentHighBid"] == "190.00"
    bid = bid_on(auction, 2)
    ask = editor.get(reverse(f"admin:{BID}_press", args=[bid.pk, "void"]))
    assert "As if it had never been made" in text_of(ask)
    for wrong in ("", " ", "x" * 201, "a\x00b"):
        page = editor.press(BID, bid, "void", reason=wrong)
        assert page.status_code == 400 or field_errors(page) == ["reason"], wrong
    assert Bid.objects.filter(voided_at=None).count() == 2
    page = editor.press(BID, bid, "void", reason="A shill")
    said = messages_of(page).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "The bid is void. The price was 190.00 EUR; it is 100.00 EUR."
    text = text_of(page)
    assert all(known in text for known in ("A shill", "Void", "1 Dec 2026, 09:00:00 UTC"))
    assert offered(page) == []
    body = shown(world, auction)
    assert (body["currentHighBid"], body["minimumNextBid"], body["bidCount"]) == ("100.00", "110.00", 1)
    event = traced(auction, "auction.bid.voided")
    assert (event.actor, event.consumer_id) == (editor.actor, second.id)
    assert (event.data["bid"], event.data["from"], event.data["to"]) == (bid.pk, 19_000, 10_000)
    assert "A shill" not in str(event.data)  # the trace can't forget
    assert "no longer possible" in messages_of(editor.press(BID, bid, "void", reason="Again"))
    assert bid_on(auction, 2).void_reason == "A shill"
    page = editor.press(BID, bid_on(auction, 1), "void", reason="Both")
    assert "none: no bid is left" in messages_of(page)
    assert shown(world, auction)["currentHighBid"] is None
    clock.shift(600)
    tasks.tick_auctions()
    assert [one.status(auction).json()["status"] for one in (first, second)] == ["DENIED", "DENIED"]


def test_what_does_not_count_is_not_voided(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction(buy_now_price=90_000, winner_count=2)
    consumer = world.consumer()
    consumer.bid(auction, "100")
    consumer.bid(auction, "50")
    world.consumer().bid(auction, "900")
    kinds = [(bid.number, bid.kind, bid.refusal) for bid in Bid.objects.order_by("number")]
    assert kinds == [(1, "BID", ""), (2, "BID", "BID_TOO_LOW"), (3, "BUY_NOW", "")]
    for number, buttons in ((1, ["void"]), (2, []), (3, [])):
        assert offered(editor.open(BID, bid_on(auction, number))) == buttons
    for number in (2, 3):
        page = editor.press(BID, bid_on(auction, number), "void", reason="x")
        assert "no longer possible" in messages_of(page), number
    editor.press(DISTRIBUTION, auction, "close")
    assert "no longer possible" in messages_of(editor.press(BID, bid_on(auction, 1), "void", reason="x"))
    assert not Bid.objects.exclude(voided_at=None).exists()


# --- The trace ------------------------------------------------------------------------------------
def test_the_trace_tells_amounts_with_their_currency(
    editor: Console, viewer: Console, world: World, clock: Any, django_assert_max_num_queries: Any
) -> None:
    auction = world.auction(currency_code="KWD", starting=5_000, increment=250)
    first, second = world.consumer(), world.consumer()
    first.bid(auction, "5", "7")
    second.bid(auction, "6")
    second.bid(auction, "1")
    editor.press(BID, bid_on(auction, 2), "void", reason="x")
    editor.press(DISTRIBUTION, auction, "close")
    with django_assert_max_num_queries(14):
        text = text_of(viewer.list("experiences_event", distribution_id__exact=auction.pk))
    for known in (
        "5.000 KWD → 6.250 KWD", "amount: 6.000 KWD", "amount: 1.000 KWD", "6.250 KWD → 5.000 KWD",
        "high: 5.000 KWD", "QUEUED → ADMITTED",
    ):  # fmt: skip
        assert known in text, known
    assert not [minor for minor in ("6250", "6000", "1000,") if minor in text]


# --- Who may do what ------------------------------------------------------------------------------
def test_a_viewer_only_looks(viewer: Console, world: World, clock: Any) -> None:
    auction = world.auction()
    world.consumer().bid(auction, "100")
    bid = Bid.objects.get()
    assert offered(viewer.open(DISTRIBUTION, auction)) == []
    assert offered(viewer.open(BID, bid)) == []
    for button in ("extend", "close", "cancel"):
        told = {"reason": "x", **at("2026-12-02", "00:00:00")}
        assert viewer.press(DISTRIBUTION, auction, button, **told).status_code == 403, button
        url = reverse(f"admin:{DISTRIBUTION}_press", args=[auction.pk, button])
        assert viewer.get(url).status_code == 403, button
    assert viewer.press(BID, bid, "void", reason="x").status_code == 403
    after = loaded(auction)
    assert (after.close_at, after.closed_at, after.auction.cancelled_at) == (auction.close_at, None, None)
    assert Bid.objects.get().voided_at is None


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_owners_and_superusers_steer(request: Any, world: World, clock: Any, role: str) -> None:
    who: Console = request.getfixturevalue(role)
    auction = world.auction()
    world.consumer().bid(auction, "100")
    assert offered(who.open(DISTRIBUTION, auction)) == ["extend", "close", "cancel"]
    who.press(BID, Bid.objects.get(), "void", reason="x")
    assert traced(auction, "auction.bid.voided").actor == who.actor
    who.press(DISTRIBUTION, auction, "close")
    assert traced(auction, "auction.settled").actor == who.actor


def test_nothing_is_done_by_asking(editor: Console, world: World, clock: Any) -> None:
    """A button is pressed by POST alone: no page that somebody links to does anything."""
    auction = world.auction()
    world.consumer().bid(auction, "100")
    before = Auction.objects.values().get(), Distribution.objects.values().get(), Bid.objects.values().get()
    told = {"reason": "x", **at("2026-12-02", "00:00:00")}
    for button in ("live", "extend", "close", "cancel"):
        url = reverse(f"admin:{DISTRIBUTION}_press", args=[auction.pk, button])
        assert editor.get(url, **told).status_code == 200, button
    editor.get(reverse(f"admin:{BID}_press", args=[Bid.objects.get().pk, "void"]), **told)
    after = Auction.objects.values().get(), Distribution.objects.values().get(), Bid.objects.values().get()
    assert after == before
