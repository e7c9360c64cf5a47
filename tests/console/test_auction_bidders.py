"""Bidders at the console: what they come to, and what nobody may see of them.

What a bidder would go up to is on no page before the auction is settled.
"""

import json
from typing import Any

import pytest
from django.urls import reverse

from consumers.models import Consumer
from distributions import tasks
from distributions.auctions.models import Bid
from distributions.core.models import Distribution, Participation
from experiences.models import Event
from tests.console.conftest import Console
from tests.console.pages import AUCTION, BID, DISTRIBUTION, PARTICIPATION, bid_on, numbers, offered, text_of
from tests.world import ConsumerClient, World, path_of

EVENT = "experiences_event"
CONSUMER = "consumers_consumer"
SECRET = ("777.77", "77777")  # what somebody would go up to, as it is written and as it is stored


def row_of(auction: Distribution, consumer: ConsumerClient) -> Participation:
    return Participation.objects.get(distribution=auction, consumer_id=consumer.id)


def seen(who: Console, auction: Distribution, consumer: ConsumerClient) -> tuple[str, str, str]:
    """What the participation's page says of a bidder: status, details, why it ended."""
    page = who.open(PARTICIPATION, row_of(auction, consumer))
    pages, row = page.context["adminform"].model_admin, page.context["original"]
    told = pages.standing(row), pages.details(row).replace("\N{NO-BREAK SPACE}", " "), pages.reason(row)
    assert all(part in text_of(page) for part in told[:2])
    return told


# --- What nobody may see --------------------------------------------------------------------------
def pages_of(auction: Distribution, people: list[ConsumerClient]) -> list[str]:
    """Every page on which an auction, its bids or its bidders are."""
    found = ["/admin/", f"/admin/distributions/bid/?auction__distribution__id__exact={auction.pk}"]
    for model in (DISTRIBUTION, PARTICIPATION, AUCTION, BID, EVENT, CONSUMER):
        found.append(reverse(f"admin:{model}_changelist"))
    found.append(reverse(f"admin:{DISTRIBUTION}_press", args=[auction.pk, "live"]))
    for model in (DISTRIBUTION, AUCTION):
        found += [reverse(f"admin:{model}_{page}", args=[auction.pk]) for page in ("change", "history")]
    version = auction.auction.history.get().history_id
    found.append(f"{reverse(f'admin:{AUCTION}_history', args=[auction.pk])}{version}/")
    rows: list[tuple[str, Any]] = [(BID, bid.pk) for bid in Bid.objects.filter(auction=auction.pk)]
    rows += [(PARTICIPATION, row_of(auction, consumer).pk) for consumer in people]
    rows += [(CONSUMER, consumer.id) for consumer in people]
    rows += [(EVENT, event.pk) for event in Event.objects.filter(distribution_id=auction.pk)]
    for model, key in rows:
        found += [reverse(f"admin:{model}_{page}", args=[key]) for page in ("change", "history")]
    found += [reverse(f"admin:{BID}_press", args=[key, "void"]) for model, key in rows if model == BID]
    return found


def showing(who: Console, urls: list[str]) -> list[str]:
    """On which of these pages a maximum is."""
    shown = []
    for url in urls:
        page = who.get(url)
        assert page.status_code == 200, url
        shown += [url] if any(secret in page.content.decode() for secret in SECRET) else []
    return shown


@pytest.mark.parametrize("ends", ["settled", "cancelled"])
def test_a_maximum_is_on_no_page_before_it_is_settled(
    owner: Console, superuser: Console, world: World, clock: Any, ends: str
) -> None:
    auction = world.auction(winner_count=2)
    people = [world.consumer() for _ in range(3)]
    people[0].bid(auction, "100.00", SECRET[0], key="a-key")
    people[1].bid(auction, "100.00", "150.00")
    people[2].bid(auction, "170.00")
    people[0].bid(auction, "20.00", SECRET[0])  # refused, with its maximum
    urls = pages_of(auction, people)
    assert len(urls) > 40
    for who in (owner, superuser):
        assert showing(who, urls) == []
        exported = who.press(CONSUMER, Consumer.objects.get(pk=people[0].id), "export")
        assert json.loads(exported.content)["bids"]
        assert not any(secret in exported.content.decode() for secret in SECRET)
        assert "hidden until the auction is settled" in text_of(who.open(BID, bid_on(auction, 1)))
    if ends == "cancelled":
        owner.press(DISTRIBUTION, auction, "cancel", reason="No more")
        tasks.tick_auctions()
        assert showing(superuser, pages_of(auction, people)) == []
        return
    clock.shift(600)
    assert showing(superuser, pages_of(auction, people)) == []  # over, and not settled yet
    tasks.tick_auctions()
    first, refused = (reverse(f"admin:{BID}_change", args=[bid_on(auction, number).pk]) for number in (1, 4))
    assert sorted(showing(owner, pages_of(auction, people))) == sorted([first, refused])
    assert "777.77 EUR" in text_of(owner.get(first))


# --- What bidders come to -------------------------------------------------------------------------
def test_words_for_bidders(viewer: Console, world: World, clock: Any) -> None:
    auction = world.auction(winner_count=2, reserve_price=14_000, claim_seconds=60, second_chance=True)
    ann, bob, cid, dan = (world.consumer() for _ in range(4))
    ann.bid(auction, "100")
    assert seen(viewer, auction, ann)[:2] == (
        "Bidding", "1 bid, the last one of 100.00 EUR; the best, but below the reserve",
    )  # fmt: skip
    bob.bid(auction, "150")
    cid.bid(auction, "140")
    dan.bid(auction, "150", "200")
    assert seen(viewer, auction, ann)[:2] == ("Bidding", "1 bid, the last one of 100.00 EUR; outbid")
    assert seen(viewer, auction, dan)[:2] == (
        "Bidding", "1 bid, the last one of 150.00 EUR; winning at 150.00 EUR",
    )  # fmt: skip
    listed = text_of(viewer.list(PARTICIPATION, distribution__id__exact=auction.pk))
    assert listed.count("Bidding") == 4
    clock.shift(600)
    tasks.tick_auctions()
    assert seen(viewer, auction, dan)[:2] == ("Won", "1 bid, the last one of 150.00 EUR; won at 150.00 EUR")
    assert seen(viewer, auction, cid)[:2] == ("Next in turn", "1 bid, the last one of 140.00 EUR; outbid")
    assert seen(viewer, auction, ann) == ("Outbid", "1 bid, the last one of 100.00 EUR; lost", "OUTBID")
    world.server().post(f"{path_of(auction)}/complete", {"consumerId": dan.id})
    clock.shift(60)
    tasks.expire_admissions()
    tasks.tick_auctions()
    assert seen(viewer, auction, dan)[0] == "Completed"
    assert seen(viewer, auction, bob)[0] == "Not completed"
    assert seen(viewer, auction, cid)[:2] == ("Won", "1 bid, the last one of 140.00 EUR; won at 140.00 EUR")


def test_below_the_reserve_nobody_wins(viewer: Console, world: World, clock: Any) -> None:
    auction = world.auction(reserve_price=90_000)
    best, other = world.consumer(), world.consumer()
    other.bid(auction, "100")
    best.bid(auction, "110")
    clock.shift(600)
    tasks.tick_auctions()
    assert seen(viewer, auction, best)[::2] == ("Below the reserve", "RESERVE_NOT_MET")
    assert seen(viewer, auction, other)[::2] == ("Outbid", "OUTBID")
    page = viewer.open(DISTRIBUTION, auction)
    assert (numbers(page)["Reserve"], numbers(page)["Winners"]) == ("not met", "0")


def test_a_bidder_who_is_denied_bids_no_more(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction()
    honest, shill = world.consumer(), world.consumer()
    honest.bid(auction, "100", "200")
    shill.bid(auction, "150")
    assert numbers(editor.open(DISTRIBUTION, auction))["Price"] == "160.00 EUR"
    page = editor.open(PARTICIPATION, row_of(auction, shill))
    assert offered(page) == ["deny"]  # nobody is admitted out of turn
    editor.press(PARTICIPATION, row_of(auction, shill), "deny", reason="A shill")
    assert seen(editor, auction, shill)[::2] == ("Denied", "A shill")
    assert numbers(editor.open(DISTRIBUTION, auction))["Price"] == "100.00 EUR"
    assert offered(editor.open(BID, bid_on(auction, 2))) == []
    assert "Void" in text_of(editor.open(BID, bid_on(auction, 2)))
