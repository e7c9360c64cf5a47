"""What a bidder's bids come to, and what becomes of a guest's when they turn out to be somebody.

A bid is not taken back by signing in: the bids of both stand for one bidder from then on, and the price that
they had driven each other up to stays.
"""

from distributions.auctions import book, results, state, statements
from distributions.auctions.book import BidKind
from distributions.auctions.models import Auction, Bid, Bidder
from experiences import events
from fanfare import ids


def come_to(bidder: Bidder) -> None:
    """What the bidder's remaining bids come to; the auction's lock is held."""
    rows = list(Bid.objects.filter(participation_id=bidder.pk, refusal="", voided_at=None).order_by("number"))
    # What was bought at once counts as a bid, and stands for nothing any more.
    named = [
        (bid.number, bid.amount, bid.max_amount or bid.amount) for bid in rows if bid.kind != BidKind.BUY_NOW
    ]
    offer = book.offer_of(bidder.pk, named)
    last = rows[-1] if rows else None
    bidder.maximum, bidder.since, bidder.amount = (
        (None, None, None) if offer is None else (offer.maximum, offer.since, offer.amount)
    )
    bidder.last_amount, bidder.last_at = (None, None) if last is None else (last.amount, last.at)
    bidder.bids = len(rows)
    bidder.save()


def unite(auction_id: str, guest_id: str, consumer_id: str, *, into: int | None = None) -> None:
    """Let a guest's bids be the consumer's whom they turned out to be. The caller holds the auction's lock.

    `into`: the participation that both bid with from now on, where each had one.
    """
    auction = Auction.objects.select_related("distribution").get(pk=auction_id)
    bids = Bid.objects.filter(auction=auction, consumer__in=[guest_id, consumer_id])
    theirs = bids.filter(consumer=guest_id)
    taken = bids.filter(consumer=consumer_id, idempotency_key__isnull=False).values("idempotency_key")
    theirs.filter(idempotency_key__in=list(taken.values_list("idempotency_key", flat=True))).update(
        idempotency_key=None
    )
    theirs.update(consumer=consumer_id)
    if into is None:
        return
    emptied = set(bids.exclude(participation=into).values_list("participation", flat=True)) - {None}
    both = list(Bidder.objects.filter(pk__in=[into, *emptied]))
    floor = _price_of(auction, both)
    bids.filter(participation__in=emptied).update(participation=into)
    for bidder in both:
        come_to(bidder)
    if auction.settled_at is None:
        _hold(auction, into, consumer_id, floor)


def _price_of(auction: Auction, both: list[Bidder]) -> int:
    """The highest price at which one of them is winning, by the figures as they were; 0: neither is."""
    terms, offers = state.terms_of(auction), [state.offer_of(bidder) for bidder in both]
    return max(
        (
            book.price(terms, one, auction.challenge)
            for one in offers
            if one and state.is_winning(auction, one)
        ),
        default=0,
    )


def _hold(auction: Auction, into: int, consumer_id: str, floor: int) -> None:
    """Where the price would fall, since nobody drives it up any more: a bid of the one that both are now."""
    found, _ = results.read(auction)
    offer = state.offer_of(Bidder.objects.filter(pk=into).first())
    if offer is None or not found.is_winning(into) or found.price_of(offer) >= floor:
        return
    at, number = statements.database_now(), auction.number + 1
    Auction.objects.filter(pk=auction.pk).update(number=number)
    bid = Bid.objects.create(
        id=ids.new("bid"),
        auction=auction,
        number=number,
        consumer_id=consumer_id,
        participation_id=into,
        at=at,
        kind=BidKind.RAISE,
        amount=floor,
        max_amount=offer.maximum,
        high_after=auction.high,
        closes_at=auction.distribution.close_at,
    )
    come_to(Bidder.objects.get(pk=into))
    events.record(
        "auction.bid.placed",
        auction.distribution.organization_id,
        at=at,
        actor=events.by_consumer(consumer_id),
        distribution_id=auction.pk,
        consumer_id=consumer_id,
        data={
            "bid": bid.pk,
            "kind": bid.kind,
            "amount": floor,
            "from": auction.high,
            "to": auction.high,
            "currency": auction.currency_code,
            "merged": True,
        },
    )
