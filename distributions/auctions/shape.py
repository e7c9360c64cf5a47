"""How an auction, a standing in it and its bids look on the wire. Amounts are decimal text."""

import datetime as dt
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from distributions.auctions import results, rules, state
from distributions.auctions.models import Auction, Bid
from distributions.auctions.rules import AuctionPhase
from distributions.auctions.state import BidStatus, Figures
from distributions.core import polling, shape
from distributions.core.bodies import VerdictSerializer
from distributions.core.models import Distribution, Status
from distributions.core.shape import DistributionSerializer
from distributions.core.standing import Standing
from distributions.core.status import StatusSerializer
from fanfare import money
from fanfare.api import IdField

STATES = ("VALID", "VOID", "REFUSED")


class AmountField(serializers.RegexField):
    """An amount in an answer: with all of the currency's decimals, such as `150.00`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"^[0-9]+(\.[0-9]+)?$", **options)


@extend_schema_field(
    {"oneOf": [{"type": "string", "pattern": r"^[0-9]{1,16}(\.[0-9]{1,4})?$"}, {"type": "number"}]}
)
class AskedAmountField(serializers.Field):  # type: ignore[type-arg]
    """An amount in a body, text or a number; the auction's currency says how many decimals it may have."""

    def to_internal_value(self, data: Any) -> str:
        """As it was written; empty for what is no amount."""
        return money.written(data)


class BidSerializer(serializers.Serializer[Any]):
    """The body of a bid."""

    amount = AskedAmountField(help_text='What is bid, such as "150.00".')
    max_amount = AskedAmountField(
        required=False,
        allow_null=True,
        help_text="A proxy bids on up to this, just as far as needed. Nobody is shown it. Who is winning may "
        "raise it, with an amount that they have bid before.",
    )


class IncrementSerializer(serializers.Serializer[Any]):
    """From which price bids rise by how much."""

    vars()["from"] = AmountField()
    increment = AmountField()


class AuctionSerializer(DistributionSerializer):
    """An auction as anyone with a key sees it; `closeAt` is the closing as extended."""

    id = IdField("auction")
    status = serializers.ChoiceField([str(phase) for phase in AuctionPhase])
    currency_code = serializers.CharField(help_text="ISO 4217; it says how many decimals amounts have.")
    starting_price = AmountField()
    minimum_bid_increment = AmountField()
    increment_table = IncrementSerializer(many=True, help_text="Larger steps at higher prices.")
    reserve_met = serializers.BooleanField(help_text="True where there is no reserve.")
    reserve_price = AmountField(required=False, help_text="Where staff show it.")
    buy_now_price = AmountField(allow_null=True, help_text="Null: none, or bids have passed it.")
    winner_count = serializers.IntegerField(help_text="The highest bidders, each at their own bid.")
    current_high_bid = AmountField(allow_null=True)
    minimum_next_bid = AmountField(allow_null=True, help_text="Null once it is over.")
    bid_count = serializers.IntegerField(help_text="Bids that count; raises of a maximum are none.")
    extension_window_seconds = serializers.IntegerField(allow_null=True)
    extension_seconds = serializers.IntegerField(allow_null=True)
    extensions_left = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    hard_end_at = serializers.DateTimeField(allow_null=True, help_text="No bid moves the closing beyond.")
    settle_at = serializers.DateTimeField(allow_null=True, help_text="Null: at closing.")
    claim_seconds = serializers.IntegerField(allow_null=True, help_text="To complete; null: no limit.")
    second_chance = serializers.BooleanField(help_text="Whether what is not completed goes to the next.")
    settled_at = serializers.DateTimeField(required=False)
    cancelled_at = serializers.DateTimeField(required=False, help_text="All bids are void.")
    poll_after_seconds = serializers.IntegerField(required=False, min_value=1, help_text="While it runs.")


class AuctionStatusSerializer(StatusSerializer):
    """A DistributionStatus with what an auction adds."""

    auction_id = IdField("auction")
    bid_status = serializers.ChoiceField(
        [str(status) for status in BidStatus],
        required=False,
        help_text="ACTIVE: the best so far, but below the reserve. LOST: also what was not completed.",
    )
    currency_code = serializers.CharField(required=False)
    last_bid_amount = AmountField(required=False, help_text="The last amount that was named.")
    last_bid_time = serializers.DateTimeField(required=False)
    bid_count = serializers.IntegerField(required=False, help_text="Own bids that count.")
    current_bid = AmountField(required=False, help_text="Own, as the proxy has raised it, while winning.")
    current_high_bid = AmountField(required=False)
    minimum_next_bid = AmountField(required=False)
    winning_amount = AmountField(required=False, help_text="What to pay, when WON.")


class HighestBidSerializer(serializers.Serializer[Any]):
    """The price, and who is at it by the pseudonym of this auction; null before the first bid."""

    amount = AmountField(allow_null=True)
    bidder = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    minimum_next_bid = AmountField(allow_null=True)


class PublicBidSerializer(serializers.Serializer[Any]):
    """One bid as everybody sees it; raises of a maximum are nobody's business."""

    id = IdField("bid")
    bidder = serializers.CharField(help_text="The pseudonym in this auction.")
    is_own = serializers.BooleanField()
    kind = serializers.ChoiceField(["BID", "BUY_NOW"])
    state = serializers.ChoiceField(["VALID", "VOID"])
    amount = AmountField()
    at = serializers.DateTimeField()
    current_high_bid = AmountField(
        allow_null=True, help_text="The price as the bid left it; null of a void one."
    )


class OwnBidSerializer(serializers.Serializer[Any]):
    """One bid as its bidder sees it."""

    id = IdField("bid")
    kind = serializers.ChoiceField(["BID", "RAISE", "BUY_NOW"])
    state = serializers.ChoiceField(STATES)
    amount = AmountField()
    at = serializers.DateTimeField()
    current_high_bid = AmountField(
        allow_null=True, help_text="The price as the bid left it; null of a void one."
    )
    reason = serializers.CharField(required=False, help_text="Why it was refused.")


class PublicBidsSerializer(serializers.Serializer[Any]):
    """A page, newest first."""

    data = PublicBidSerializer(many=True)  # type: ignore[assignment]
    next_cursor = serializers.CharField(allow_null=True)


class OwnBidsSerializer(serializers.Serializer[Any]):
    """A page, newest first."""

    data = OwnBidSerializer(many=True)  # type: ignore[assignment]
    next_cursor = serializers.CharField(allow_null=True)


class AuctionVerdictSerializer(VerdictSerializer):
    """Whether a token admits, and what there is to pay."""

    amount = AmountField(required=False)
    currency_code = serializers.CharField(required=False)


def present_auction(distribution: Distribution, now: dt.datetime) -> dict[str, Any]:
    """The body of an auction, also inside its experience."""
    auction = distribution.auction
    currency = auction.currency_code
    phase = rules.phase(distribution, now)
    least = minimum_next(distribution, now)
    body = shape.present(
        distribution,
        status=phase,
        currency_code=currency,
        starting_price=money.text(auction.starting_price, currency),
        minimum_bid_increment=money.text(auction.minimum_bid_increment, currency),
        increment_table=auction.increment_table,
        reserve_met=auction.high is not None and state.terms_of(auction).meets_reserve(auction.high),
        buy_now_price=_buy_now(auction, least),
        winner_count=auction.winner_count,
        current_high_bid=_text(auction.high, currency),
        minimum_next_bid=_text(least, currency),
        bid_count=auction.bids,
        extension_window_seconds=auction.extension_window_seconds,
        extension_seconds=auction.extension_seconds,
        extensions_left=_extensions_left(auction),
        hard_end_at=auction.hard_end_at,
        settle_at=auction.settle_at,
        claim_seconds=auction.claim_seconds,
        second_chance=auction.second_chance,
    )
    if auction.reserve_price is None:
        body["reserve_met"] = True
    elif auction.show_reserve:
        body["reserve_price"] = money.text(auction.reserve_price, currency)
    happened = {"settled_at": auction.settled_at, "cancelled_at": auction.cancelled_at}
    body |= {name: at for name, at in happened.items() if at is not None}
    if phase == AuctionPhase.OPEN:  # the same for all who ask in this second, so without jitter
        wait = round(state.wait(auction, distribution.close_at, now))
        body["poll_after_seconds"] = max(polling.NEAR, min(polling.FAR, wait))
    return body


def minimum_next(distribution: Distribution, now: dt.datetime) -> int | None:
    """The least amount of the next bid; None once it is over."""
    return None if results.is_over(distribution, now) else state.minimum(distribution.auction)


def _text(minor: int | None, currency: str) -> str | None:
    return None if minor is None else money.text(minor, currency)


def _buy_now(auction: Auction, least: int | None) -> str | None:
    buys = auction.buy_now_price
    return money.text(buys, auction.currency_code) if buys and least and least <= buys else None


def _extensions_left(auction: Auction) -> int | None:
    if auction.extension_window_seconds is None:
        return 0
    return None if auction.max_extensions is None else max(0, auction.max_extensions - auction.extensions)


def present_highest(distribution: Distribution, now: dt.datetime) -> dict[str, Any]:
    """The body of `highest-bid`."""
    auction = distribution.auction
    return {
        "amount": _text(auction.high, auction.currency_code),
        "bidder": None if auction.leader is None else pseudonym(auction.leader),
        "at": auction.high_at,
        "minimum_next_bid": _text(minimum_next(distribution, now), auction.currency_code),
    }


def pseudonym(place: int | None) -> str:
    """What others call a bidder: by the order of first bids, which all can see, and by nothing else."""
    return f"Bidder {place or '?'}"


def present_figures(figures: Figures, currency: str) -> dict[str, Any]:
    """What an auction adds to a status; what is not known is left out."""
    body: dict[str, Any] = {
        "bid_status": figures.bid_status,
        "bid_count": figures.bid_count,
        "currency_code": currency,
        "last_bid_time": figures.last_bid_time,
        "poll_after_seconds": figures.poll_after_seconds,
    }
    amounts = {
        "last_bid_amount": figures.last_bid_amount,
        "current_bid": figures.current_bid,
        "winning_amount": figures.winning_amount,
        "current_high_bid": figures.high,
        "minimum_next_bid": figures.minimum,
    }
    body |= {name: _text(amount, currency) for name, amount in amounts.items()}
    return {name: value for name, value in body.items() if value is not None}


def present_standing(distribution: Distribution, standing: Standing, now: dt.datetime) -> dict[str, Any]:
    """What an auction adds to a status, as it is stored now."""
    if standing.status == Status.LEFT:
        return {}
    bidder = state.bidder_of(distribution, standing)
    auction = distribution.auction if bidder is None else bidder.auction
    figures = state.figures(auction, bidder, standing, close_at=distribution.close_at, now=now)
    return present_figures(figures, auction.currency_code)


def present_bid(bid: Bid, consumer_id: str) -> dict[str, Any]:
    """One bid as everybody sees it; `consumer_id` is who looks."""
    return {
        "id": bid.pk,
        "bidder": pseudonym(bid.participation.place if bid.participation else None),
        "is_own": bid.consumer_id == consumer_id,
        **_common(bid),
    }


def present_own(bid: Bid) -> dict[str, Any]:
    """One bid as its bidder sees it."""
    body = {"id": bid.pk, **_common(bid)}
    return body | ({"reason": bid.refusal} if bid.refusal else {})


def _common(bid: Bid) -> dict[str, Any]:
    """The price that a void bid drove others up to would tell their maxima."""
    currency, stands = bid.auction.currency_code, state_of(bid)
    return {
        "kind": bid.kind,
        "state": stands,
        "amount": money.text(bid.amount, currency),
        "at": bid.at,
        "current_high_bid": None if stands == "VOID" else _text(bid.high_after, currency),
    }


def state_of(bid: Bid) -> str:
    """VOID is what staff took back, and what a bidder made who was taken out before winning."""
    if bid.refusal:
        return "REFUSED"
    made_by = bid.participation
    is_out = made_by is not None and made_by.status in (Status.LEFT, Status.DENIED)
    is_void = bid.voided_at is not None or (is_out and made_by is not None and made_by.admitted_at is None)
    return "VOID" if is_void else "VALID"
