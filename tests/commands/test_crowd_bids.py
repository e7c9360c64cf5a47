"""`manage.py crowd` at an auction over real HTTP, and its checks against what must not pass."""

import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from distributions.auctions.models import Bid
from distributions.core.models import Participation
from distributions.crowd import bid_checks
from distributions.crowd.bidder import BidRecord, Placed
from distributions.crowd.checks import Check
from tests.world import World

PEOPLE = 12
START = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("takes_guests", [True, False])
def test_the_crowd_bids_until_it_is_over(
    world: World, live_server: Any, tmp_path: Path, takes_guests: bool
) -> None:
    """As guests, or as customers whom the shop's server names."""
    auction = world.auction(ends_in=4, increment=100, supports_guest=takes_guests)
    path, out = tmp_path / "report.json", io.StringIO()
    call_command(
        "crowd",
        auction.pk,
        f"--people={PEOPLE}",
        "--concurrency=4",
        "--arrive-within=1",
        "--think=0.1",
        "--leave=100",  # nobody can leave an auction
        f"--base-url={live_server.url}",
        f"--publishable-key={world.publishable}",
        f"--secret-key={world.secret}",
        f"--report={path}",
        stdout=out,
    )
    report = json.loads(path.read_text())
    assert (report["refused"], report["failures"], report["unfinished"]) == ({}, {}, 0)
    assert (report["status"], report["completed"], report["left"]) == ("SETTLED", 1, 0)
    assert report["paid"] == [report["price"]]
    assert report["bids"] == Bid.objects.filter(auction=auction.pk, refusal="").count() > 0
    assert [check["kept"] for check in report["checks"]] == [True] * 8
    assert Participation.objects.filter(distribution=auction, status="COMPLETED").count() == 1
    assert f"won at {report['price']}" in out.getvalue()


def bidder(*bids: tuple[int, int, int], paid: int | None = None, **more: Any) -> BidRecord:
    """Somebody who bid (amount, maximum, seconds after the start), and perhaps won."""
    placed = [
        Placed(Decimal(amount), Decimal(maximum), START + dt.timedelta(seconds=at))
        for amount, maximum, at in bids
    ]
    return BidRecord(bids=placed, paid=None if paid is None else Decimal(paid), **more)


def test_what_is_as_promised_passes() -> None:
    records = [bidder((100, 300, 0), paid=260), bidder((150, 250, 1), deny_reason="OUTBID")]
    records[0].prices = [Decimal(100), Decimal(100), Decimal(260)]
    records[0].closings = [START]
    close_at = START + dt.timedelta(seconds=2)
    assert [check.broken for check in bid_checks.all_checks(records, 1, close_at)] == [()] * 8


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        (bid_checks.bids_rise([bidder((100, 100, 0)), bidder((100, 100, 1))], 1), 1),
        (bid_checks.bids_rise([bidder((100, 100, 0)), bidder((100, 100, 1))], 2), 0),
        (bid_checks.price_never_falls([bidder(prices=[Decimal(100), Decimal(99)])]), 1),
        (bid_checks.closing_never_earlier([bidder(closings=[START])], START - dt.timedelta(seconds=1)), 1),
        (bid_checks.nobody_too_late([bidder((100, 100, 5))], START + dt.timedelta(seconds=5)), 1),
        (bid_checks.nobody_too_late([bidder((100, 100, 4))], START + dt.timedelta(seconds=5)), 0),
        (bid_checks.highest_win([bidder((100, 100, 0), paid=100), bidder((1, 1, 0), paid=1)], 1), 1),
        (
            bid_checks.highest_win(
                [bidder((100, 100, 0), paid=100), bidder((90, 101, 0), deny_reason="OUTBID")], 1
            ),
            1,
        ),
        (bid_checks.fair_prices([bidder((100, 200, 0), paid=201)]), 1),
        (bid_checks.fair_prices([bidder((100, 200, 0), paid=99)]), 1),
        (bid_checks.fair_prices([bidder((100, 200, 0), paid=200)]), 0),
    ],
)
def test_what_is_not_is_told(check: Check, broken: int) -> None:
    assert len(check.broken) == broken
