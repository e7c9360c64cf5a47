"""The course of an auction at the console: its numbers, the live page, the list of bids."""

import datetime as dt
from typing import Any

from django.test import Client
from django.urls import reverse

from distributions import tasks
from distributions.auctions.models import Bid
from distributions.core.models import Distribution
from experiences.models import Organization
from tests.console.conftest import Console
from tests.console.pages import AUCTION, BID, DISTRIBUTION, bid_on, notes, numbers, offered, text_of
from tests.world import World, path_of

EVENT = "experiences_event"


def live(who: Console, auction: Distribution) -> Any:
    return who.get(reverse(f"admin:{DISTRIBUTION}_press", args=[auction.pk, "live"]))


# --- Numbers --------------------------------------------------------------------------------------
def test_numbers_before_while_and_after(viewer: Console, editor: Console, world: World, clock: Any) -> None:
    auction = world.auction(
        opens_in=60,
        reserve_price=15_000,
        max_extensions=3,
        extension_window_seconds=60,
        extension_seconds=120,
    )
    page = viewer.open(DISTRIBUTION, auction)
    assert (page.context["phase"], offered(page)) == ("PENDING", [])
    assert numbers(page) == {
        "Price": "no bid", "Next bid": "100.00 EUR", "Reserve": "not met", "Bidders": "0",
        "Closes": "09:10:00", "Winners": "0",
    }  # fmt: skip
    assert notes(page)["Closes"] == "1 Dec 2026 UTC; in 0:10:00; 0 of 3 extensions"
    clock.shift(60)
    people = [world.consumer() for _ in range(3)]
    people[0].bid(auction, "100")
    people[1].bid(auction, "110", "177.77")
    people[2].bid(auction, "150.01")
    people[2].bid(auction, "999.999")  # no bid at all
    page = viewer.open(DISTRIBUTION, auction)
    assert page.context["phase"] == "OPEN"
    found, said = numbers(page), notes(page)
    assert (found["Price"], said["Price"]) == ("150.00 EUR", "Bidder 2")
    assert (found["Next bid"], found["Reserve"], said["Reserve"]) == ("160.00 EUR", "met", "150.00 EUR")
    assert (found["Bidders"], said["Bidders"]) == ("2", "2 bids; 1 refused or void")
    clock.shift(500)
    people[0].bid(auction, "170")
    page = viewer.open(DISTRIBUTION, auction)
    assert (numbers(page)["Closes"], notes(page)["Closes"][-19:]) == ("09:11:20", "; 1 of 3 extensions")
    clock.shift(120)
    page = viewer.open(DISTRIBUTION, auction)
    assert (page.context["phase"], numbers(page)["Closed"]) == ("CLOSED", "09:11:20")
    tasks.tick_auctions()
    page = viewer.open(DISTRIBUTION, auction)
    assert (page.context["phase"], offered(page)) == ("SETTLED", [])
    assert (numbers(page)["Price"], numbers(page)["Next bid"]) == ("177.77 EUR", "none")
    assert (numbers(page)["Winners"], notes(page)["Winners"]) == ("1", "of 1; 0 completed, 0 returned")
    assert offered(editor.open(DISTRIBUTION, auction)) == []


def test_times_are_in_the_auctions_zone(viewer: Console, world: World, clock: Any) -> None:
    auction = world.auction(settle_at=dt.datetime(2026, 12, 1, 10, tzinfo=dt.UTC))
    Organization.objects.update(time_zone="America/New_York")
    consumer = world.consumer()
    consumer.bid(auction, "100.00")
    for zone, closes, told, made in (
        ("", "04:10:00", "1 Dec 2026 EST", "04:00:00"),
        ("Asia/Tokyo", "18:10:00", "1 Dec 2026 JST", "18:00:00"),
    ):
        Distribution.objects.update(time_zone=zone)
        for page in (viewer.open(DISTRIBUTION, auction), live(viewer, auction)):
            assert (numbers(page)["Closes"], notes(page)["Closes"]) == (closes, f"{told}; in 0:10:00"), zone
        assert made in text_of(live(viewer, auction))
        assert f"{made} {told[-3:]}" in text_of(viewer.open(BID, Bid.objects.get()))
    assert (
        notes(viewer.open(DISTRIBUTION, auction))["Winners"] == "of 1; admitted at 1 Dec 2026, 19:00:00 JST"
    )
    Distribution.objects.update(close_at=None)
    assert numbers(viewer.open(DISTRIBUTION, auction))["Closes"] == "by hand"


def test_the_list_of_distributions(
    viewer: Console, world: World, clock: Any, django_assert_max_num_queries: Any
) -> None:
    running, over = world.auction(), world.auction(ends_in=5)
    world.auction(opens_in=60)
    for number, amount in enumerate(("100", "110")):
        consumer = world.consumer()
        consumer.bid(running, amount)
        if number == 0:
            consumer.bid(over, amount)
    clock.shift(5)
    with django_assert_max_num_queries(14):
        page = viewer.list(DISTRIBUTION)
    pages = page.context["cl"].model_admin
    found = sorted((str(pages.phase(row)), pages.waiting(row)) for row in page.context["cl"].result_list)
    assert found == [("CLOSED", 1), ("OPEN", 2), ("PENDING", 0)]
    tasks.tick_auctions()
    assert pages.waiting(Distribution.objects.get(pk=over.pk)) == 0


# --- Live -----------------------------------------------------------------------------------------
def test_the_live_page_follows_the_bids(
    viewer: Console, world: World, clock: Any, django_assert_max_num_queries: Any
) -> None:
    auction = world.auction(opens_in=10)
    page = live(viewer, auction)
    assert ("Nobody has bid yet." in text_of(page), page.context["watched"].seconds) == (True, 10)
    clock.shift(10)
    first, second = world.consumer(), world.consumer()
    first.bid(auction, "100", "300")
    second.bid(auction, "100")  # refused: not shown
    first.bid(auction, "100", "400")  # raises the maximum alone: not shown
    second.bid(auction, "110")
    with django_assert_max_num_queries(14):
        page = live(viewer, auction)
    text = text_of(page)
    rows = [(row[0].text, row[2].text, row[3].text) for row in page.context["watched"].table.rows]
    assert rows == [("4", "Bidder 2", second.id), ("1", "Bidder 1", first.id)]
    assert all(known in text for known in ("110.00 EUR", "120.00 EUR", "VALID", 'data-seconds="2"'))
    for link in (reverse(f"admin:{BID}_change", args=[bid_on(auction, 4).pk]), second.id):
        assert link in text
    assert "300.00" not in text
    assert "400.00" not in text
    for _ in range(25):
        least = first.get(f"{path_of(auction)}/highest-bid").json()["minimumNextBid"]
        world.consumer().bid(auction, least)
    assert len(live(viewer, auction).context["watched"].table.rows) == 20


def test_the_live_page_rests_when_all_is_over(viewer: Console, world: World, clock: Any) -> None:
    auction = world.auction()
    world.consumer().bid(auction, "100.00")
    clock.shift(600)
    assert live(viewer, auction).context["watched"].seconds == 2  # winners are about to be admitted
    tasks.tick_auctions()
    page = live(viewer, auction)
    assert (page.context["phase"], 'data-seconds="0"' in text_of(page)) == ("SETTLED", True)


# --- Bids -----------------------------------------------------------------------------------------
def test_bids_are_found(
    viewer: Console, world: World, clock: Any, django_assert_max_num_queries: Any
) -> None:
    auction, other = world.auction(), world.auction()
    ada, bob = world.member("ada@example.com"), world.consumer()
    ada.bid(auction, "100")
    bob.bid(auction, "99")
    bob.bid(auction, "110")
    bob.bid(other, "100")

    def found(**query: Any) -> list[tuple[str, int]]:
        rows = viewer.list(BID, **query).context["cl"].result_list
        return [(row.consumer_id, row.number) for row in rows]

    mine = {"auction__distribution__id__exact": auction.pk}
    assert found(**mine) == [(bob.id, 3), (bob.id, 2), (ada.id, 1)]
    assert found(q=auction.pk) == found(**mine)
    assert len(found()) == 4
    assert found(q=bid_on(auction, 2).pk) == [(bob.id, 2)]
    assert found(q="Ada@example.com") == found(q=ada.id) == [(ada.id, 1)]
    assert found(q="bid_") == found(q="ada") == []
    assert len(found(kind__exact="BUY_NOW")) == 0
    assert viewer.list(BID, max_amount__exact="1").status_code == 302  # no column is guessed
    with django_assert_max_num_queries(14):
        text = text_of(viewer.list(BID, **mine))
    for known in (
        "99.00 EUR",
        "110.00 EUR",
        "refused",
        "BID_TOO_LOW",
        "valid",
        "Bidder 1",
        "ada@example.com",
    ):
        assert known in text, known
    assert reverse(f"admin:{BID}_changelist") in text_of(viewer.open(DISTRIBUTION, auction))
    trace = viewer.list(EVENT, q=auction.pk).context["cl"].result_list
    assert {event.distribution_id for event in trace} == {auction.pk}


def test_no_bid_is_edited(
    superuser: Console, owner: Console, editor: Console, viewer: Console, world: World, clock: Any
) -> None:
    auction = world.auction()
    world.consumer().bid(auction, "100", "200")
    bid = Bid.objects.get()
    before = Bid.objects.values().get()
    for who in (superuser, owner, editor, viewer):
        text = text_of(who.open(BID, bid))
        assert not any(f'name="{name}"' in text for name in ("amount", "max_amount", "_save", "voided_at"))
        for page in (
            who.post(reverse(f"admin:{BID}_add"), amount="1"),
            who.post(reverse(f"admin:{BID}_change", args=[bid.pk]), amount="1"),
            who.post(reverse(f"admin:{BID}_delete", args=[bid.pk]), post="yes"),
            who.post(reverse(f"admin:{AUCTION}_add"), high="1"),
            who.post(reverse(f"admin:{AUCTION}_change", args=[auction.pk]), high="1", starting_price="1"),
            who.post(reverse(f"admin:{AUCTION}_delete", args=[auction.pk]), post="yes"),
        ):
            assert page.status_code == 403
        body = {"action": "delete_selected", "_selected_action": [bid.pk], "post": "yes"}
        who.client.post(reverse(f"admin:{BID}_changelist"), body)
    assert Bid.objects.values().get() == before


def test_auctions_of_others_are_not_there(stranger: Console, world: World, clock: Any) -> None:
    auction = world.auction()
    consumer = world.consumer()
    consumer.bid(auction, "100")
    bid = Bid.objects.get()
    urls = [
        reverse(f"admin:{DISTRIBUTION}_press", args=[auction.pk, name])
        for name in ("live", "extend", "close", "cancel")
    ]
    urls += [reverse(f"admin:{BID}_press", args=[bid.pk, "void"])]
    urls += [reverse(f"admin:{AUCTION}_{page}", args=[auction.pk]) for page in ("history", "change")]
    urls += [reverse(f"admin:{BID}_change", args=[bid.pk])]
    for url in urls:
        assert stranger.get(url).headers["Location"] == "/admin/", url
        answer = stranger.post(url, reason="x")
        assert answer.status_code == 403 or answer.headers["Location"] == "/admin/", url
        assert Client().get(url).headers["Location"].startswith("/admin/login/")
    for query in ({}, {"q": bid.pk}, {"auction__distribution__id__exact": auction.pk}):
        page = stranger.list(BID, **query)
        assert (page.context["cl"].result_count, consumer.id in text_of(page)) == (0, False)
    assert stranger.list(AUCTION).context["cl"].result_count == 0
    assert Bid.objects.get().voided_at is None
