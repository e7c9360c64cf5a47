"""An auction on its live page: price, closing, and the bids as they come in."""

import datetime as dt

from django.urls import reverse
from django.utils import timezone

from distributions.auctions import cards, results, rules, shape
from distributions.auctions.book import BidKind
from distributions.auctions.models import Bid
from distributions.core import figures
from distributions.core.models import Distribution
from distributions.core.watching import Cell, Chart, Table, Watched

SHOWN = 20  # bids
STATE_COLORS = {"VALID": "success", "VOID": "danger", "REFUSED": "warning"}
_COLUMNS = ["No.", "Time", "Bidder", "Consumer", "Amount", "Price after", "State"]


def watch(distribution: Distribution, now: dt.datetime) -> Watched:
    """The course of bidding."""
    hour = figures.of(distribution.pk, now)
    lines = [("Bids", hour.of("auction.bid.placed")), ("Refused", hour.of("auction.bid.refused"))]
    charts = [Chart("Bids a minute", lines)]
    numbers = cards.numbers(distribution, now)
    return Watched(numbers, hour.minutes, charts, _bids(distribution), _seconds(distribution, now))


def _bids(distribution: Distribution) -> Table:
    """The last ones; by how much a proxy was raised is nobody's business."""
    bids = Bid.objects.filter(auction=distribution.pk, refusal="").exclude(kind=BidKind.RAISE)
    found = bids.select_related("auction", "participation", "consumer").order_by("-number")[:SHOWN]
    return Table("Last bids", _COLUMNS, [_row(bid) for bid in found], "Nobody has bid yet.")


def _row(bid: Bid) -> list[Cell]:
    currency, found = bid.auction.currency_code, shape.state_of(bid)
    return [
        Cell(str(bid.number), reverse("admin:distributions_bid_change", args=[bid.pk])),
        Cell(f"{timezone.localtime(bid.at):%H:%M:%S}"),
        Cell(shape.pseudonym(bid.participation.place if bid.participation else None)),
        Cell(str(bid.consumer), reverse("admin:consumers_consumer_change", args=[bid.consumer_id])),
        Cell(cards.priced(bid.amount, currency)),
        Cell(cards.priced(bid.high_after, currency)),
        Cell(found, color=STATE_COLORS[found]),
    ]


def _seconds(distribution: Distribution, now: dt.datetime) -> int:
    """After how many seconds there may be something new; 0: nothing comes any more."""
    auction = distribution.auction
    if auction.settled_at is not None or auction.cancelled_at is not None:
        return 0
    is_open = rules.phase(distribution, now) == rules.AuctionPhase.OPEN
    return 2 if is_open or results.is_over(distribution, now) else 10
