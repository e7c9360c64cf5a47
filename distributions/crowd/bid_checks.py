"""What must never happen in an auction, judged by what the bidders saw.

Pure functions over records. A bidder knows their own maxima, and all of them together whose was the highest.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from distributions.crowd.bidder import BidRecord
from distributions.crowd.checks import Check, nobody_twice, tokens_hold


def all_checks(records: Sequence[BidRecord], places: int, close_at: dt.datetime | None) -> list[Check]:
    """Every promise; `close_at` is the closing as it was told last."""
    return [
        bids_rise(records, places),
        price_never_falls(records),
        closing_never_earlier(records, close_at),
        nobody_too_late(records, close_at),
        highest_win(records, places),
        fair_prices(records),
        nobody_twice(records),
        tokens_hold(records),
    ]


def bids_rise(records: Iterable[BidRecord], places: int) -> Check:
    """Of two bids that were accepted the later is higher, where one wins."""
    bids = sorted((bid for record in records for bid in record.bids), key=lambda bid: (bid.at, bid.amount))
    pairs = zip(bids, bids[1:], strict=False) if places == 1 else ()
    broken = [f"{b.amount} at {b.at} after {a.amount}" for a, b in pairs if b.amount <= a.amount]
    return Check("accepted bids rise", len(bids), tuple(broken))


def price_never_falls(records: Iterable[BidRecord]) -> Check:
    """Nobody was told a lower price than before."""
    broken, weighed = [], 0
    for record in records:
        weighed += len(record.prices)
        for before, after in zip(record.prices, record.prices[1:], strict=False):
            if after < before:
                broken.append(f"{record.consumer_id} was told {before}, then {after}")
    return Check("the price never falls", weighed, tuple(broken))


def closing_never_earlier(records: Iterable[BidRecord], close_at: dt.datetime | None) -> Check:
    """Nobody was told a later closing than the one that was applied."""
    told = [(at, record) for record in records for at in record.closings]
    broken = [f"{record.consumer_id} was told {at}" for at, record in told if close_at and at > close_at]
    return Check("it closes no earlier than told", len(told), tuple(broken))


def nobody_too_late(records: Iterable[BidRecord], close_at: dt.datetime | None) -> Check:
    """No bid was accepted at or after the closing."""
    bids = [(bid, record) for record in records for bid in record.bids]
    late = [f"{record.consumer_id} at {bid.at}" for bid, record in bids if close_at and bid.at >= close_at]
    return Check("no bid after the closing", len(bids), tuple(late))


def highest_win(records: Sequence[BidRecord], places: int) -> Check:
    """No more winners than places, and no loser would have gone further than a winner."""
    winners = [record for record in records if record.paid is not None]
    losers = [record for record in records if record.deny_reason == "OUTBID"]
    broken = [] if len(winners) <= places else [f"{len(winners)} won {places} places"]
    if winners and losers:
        least = min(winners, key=lambda record: record.maximum)
        broken += [
            f"{loser.consumer_id} lost with {loser.maximum}, {least.consumer_id} won with {least.maximum}"
            for loser in losers
            if loser.maximum > least.maximum
        ]
    return Check("the highest bidders win", len(winners) + len(losers), tuple(broken))


def fair_prices(records: Iterable[BidRecord]) -> Check:
    """Whoever won pays no more than their maximum, and no less than they named."""
    winners = [record for record in records if record.paid is not None]
    broken = []
    for record in winners:
        named = max(bid.amount for bid in record.bids)
        if record.paid is None or not named <= record.paid <= record.maximum:
            broken.append(f"{record.consumer_id} pays {record.paid}, named {named}, up to {record.maximum}")
    return Check("winners pay what they bid", len(winners), tuple(broken))
