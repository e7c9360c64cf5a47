"""`/auctions/…`: the endpoints of the contract."""

import re
from types import ModuleType
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from distributions.auctions import rules, shape
from distributions.auctions.bidding import Ask
from distributions.auctions.book import BidKind
from distributions.auctions.models import Bid, Bidder
from distributions.core import bodies
from distributions.core.admission import Verdict
from distributions.core.api import STATUS, Complete, Deny, Status, Validate
from distributions.core.models import Distribution, Kind
from distributions.core.standing import Standing
from distributions.core.status import present
from distributions.core.work_api import Challenge
from fanfare import errors, money, sealing, throttling
from fanfare.api import cacheable, parse
from fanfare.errors import Detail
from fanfare.http import ExactJsonParser
from fanfare.schema import FINGERPRINT, WORK, describes

BIDS = "120/m"  # of one consumer
_KEY_SHAPE = re.compile(r"[\x21-\x7e]{1,255}")
_KEY = OpenApiParameter(
    "Idempotency-Key",
    location="header",
    description="1 to 255 visible ASCII characters: a bid that comes again with it is answered as the first.",
)
_LIMIT = OpenApiParameter("limit", int, description="Bids in a page: 1 to 100.")
_CURSOR = OpenApiParameter("cursor", str, description="`nextCursor` of the page before.")


class PageSerializer(serializers.Serializer[Any]):
    """Which page of bids: those before the number `cursor`, the newest first."""

    limit = serializers.IntegerField(min_value=1, max_value=100, default=50)
    cursor = serializers.IntegerField(min_value=1, max_value=2**62, required=False)


class AuctionViewSet(Status, Complete, Deny, Validate, Challenge):
    """An auction with proxy bids."""

    kind = Kind.AUCTION
    prefix = "auction"
    rules: ClassVar[ModuleType] = rules
    status_serializer = shape.AuctionStatusSerializer
    verdict_serializer = shape.AuctionVerdictSerializer
    rate_categories: ClassVar[dict[str, str]] = {
        "bid": "auctionBid",
        "status": "statusCheck",
        "highest_bid": "statusCheck",
    }

    def get_parsers(self) -> list[Any]:
        return [ExactJsonParser()]

    def require_few(self) -> None:
        """One bidder could use up the organization's limit otherwise."""
        if self.action == "bid":
            throttling.require(self.request._request, "bids", self.consumer_id, BIDS)

    def _load(self, distribution_id: str) -> Distribution:
        found = super()._load(distribution_id)
        return found if self.action == "bid" else rules.current(found, self.now)

    @describes(shape.AuctionSerializer, has_etag=True)
    def retrieve(self, request: Request, id: str) -> Response:
        """The auction itself, as anyone may see it."""
        return cacheable(request, shape.present_auction(self.distribution, self.now))

    @describes(STATUS, FINGERPRINT, WORK, _KEY, body=shape.BidSerializer, refusals=bodies.refused_bids)
    @action(detail=True, methods=["post"])
    def bid(self, request: Request, id: str) -> Response:
        """Bid, by proxy too; the first bid that is accepted enters."""
        answer = rules.bid(
            self.distribution,
            self.consumer_id,
            self._ask(request),
            actor=self.credential.actor,
            fingerprint=self.fingerprint(),
        )
        currency = self.distribution.auction.currency_code
        extra = shape.present_figures(answer.figures, currency)
        return Response(present(self.distribution, answer.standing, **extra))

    def _ask(self, request: Request) -> Ask:
        """The bid in minor units. Raises Invalid, by field."""
        body, currency = parse(shape.BidSerializer, request), self.distribution.auction.currency_code
        amounts: dict[str, int | None] = {"amount": None, "max_amount": None}
        problems = []
        for name in amounts:
            try:
                given = body.get(name)
                amounts[name] = None if given is None else money.parse(given, currency)
                if amounts[name] == 0:
                    raise ValueError("More than nothing.")
            except ValueError as problem:
                problems.append(Detail(name, str(problem)))
        amount, maximum = amounts["amount"], amounts["max_amount"]
        if not problems and maximum is not None and amount is not None and maximum < amount:
            problems.append(Detail("max_amount", "At least the amount."))
        if problems:
            raise errors.Invalid(*problems)
        assert amount is not None
        return Ask(amount, maximum, currency, self._idempotency_key(request))

    def _idempotency_key(self, request: Request) -> bytes | None:
        """Its hash: what a client makes a key of is nobody's business."""
        given = request.headers.get("Idempotency-Key")
        if given is None:
            return None
        if not _KEY_SHAPE.fullmatch(given):
            raise errors.Invalid(Detail("Idempotency-Key", "1 to 255 visible ASCII characters."))
        return sealing.keyed_hash("idempotency", given.encode())[:16]

    @describes(shape.HighestBidSerializer, has_etag=True)
    @action(detail=True, methods=["get"], url_path="highest-bid", url_name="highest-bid")
    def highest_bid(self, request: Request, id: str) -> Response:
        """The price, and what the next bid must be."""
        return cacheable(request, shape.present_highest(self.distribution, self.now))

    @describes(shape.OwnBidsSerializer, _LIMIT, _CURSOR, refusals=bodies.refused_pages)
    @action(detail=True, methods=["get"], url_path="bids/history", url_name="history")
    def history(self, request: Request, id: str) -> Response:
        """One's own bids, refused ones too."""
        bids = Bid.objects.filter(auction=self.distribution.pk, consumer=self.consumer_id)
        page, cursor = self._page(request, bids)
        return Response({"data": [shape.present_own(bid) for bid in page], "next_cursor": cursor})

    @describes(shape.PublicBidsSerializer, _LIMIT, _CURSOR, refusals=bodies.refused_pages)
    @action(detail=True, methods=["get"])
    def bids(self, request: Request, id: str) -> Response:
        """All bids that were accepted, by pseudonyms."""
        bids = Bid.objects.filter(auction=self.distribution.pk, refusal="").exclude(kind=BidKind.RAISE)
        page, cursor = self._page(request, bids)
        data = [shape.present_bid(bid, self.consumer_id) for bid in page]
        return Response({"data": data, "next_cursor": cursor})

    def _page(self, request: Request, bids: QuerySet[Bid]) -> tuple[list[Bid], str | None]:
        """A page, newest first, and the cursor of the next one."""
        asked = PageSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        limit, cursor = asked.validated_data["limit"], asked.validated_data.get("cursor")
        rows = bids if cursor is None else bids.filter(number__lt=cursor)
        found = list(rows.select_related("auction", "participation").order_by("-number")[: limit + 1])
        return found[:limit], str(found[limit - 1].number) if len(found) > limit else None

    def present_standing(self, standing: Standing) -> dict[str, Any]:
        return shape.present_standing(self.distribution, standing, self.now)

    def present_verdict(self, verdict: Verdict) -> dict[str, Any]:
        """With what there is to pay, of a token that admits."""
        body = super().present_verdict(verdict)
        if not verdict.valid:
            return body
        winners = Bidder.objects.select_related("auction").filter(price__isnull=False)
        bidder = winners.filter(participation=verdict.participation_id).first()
        if bidder is None or bidder.price is None:
            return body
        currency = bidder.auction.currency_code
        return body | {"amount": money.text(bidder.price, currency), "currency_code": currency}
