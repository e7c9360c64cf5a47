"""One auction twice: in the product, by its front doors, and in the plain model; what each should tell."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from distributions import tasks
from distributions.auctions.models import Auction, Bid
from distributions.core.models import Distribution
from experiences.models import Event
from fanfare import clock, money
from tests.concurrency.plain_auction import BUY_NOW, RAISE, Closing, PlainAuction
from tests.world import ConsumerClient, World

ADMITTED, COMPLETED, DENIED, QUEUED = "ADMITTED", "COMPLETED", "DENIED", "QUEUED"


def text(minor: int | None) -> str | None:
    return None if minor is None else money.text(minor, "EUR")


@dataclass
class Place:
    """What became of somebody who won or bought."""

    price: int
    until: dt.datetime | None
    status: str = ADMITTED
    reason: str = ""


@dataclass
class Twice:
    """The auction, the model, and what the model's keeper knows of its end."""

    auction: Distribution
    plain: PlainAuction
    closing: Closing
    people: list[ConsumerClient]
    settle_at: dt.datetime | None = None
    claim: int | None = None
    chance: bool = False
    places: dict[str, Place] = field(default_factory=dict)
    best: list[str] = field(default_factory=list)  # at settlement, reserve aside
    price: int | None = None  # at settlement
    count: int = 0  # of bids, at settlement
    is_settled: bool = False
    is_cancelled: bool = False
    last_expected: Any = None

    # --- What the clock does ---

    def is_over(self) -> bool:
        return self.is_cancelled or self.closing.is_over(clock.now())

    def settle_if_due(self) -> None:
        """As any request and the beat do."""
        is_due = self.settle_at is None or clock.now() >= self.settle_at or self.plain.places() == 0
        if self.is_settled or self.is_cancelled or not self.is_over() or not is_due:
            return
        self.price, self.best, self.count = self.plain.high(), self.plain.winning(), self.counting()
        self.is_settled = True
        for who, price in self.plain.results().items():
            self.give(who, price)

    def give(self, who: str, price: int) -> None:
        until = None if self.claim is None else clock.now() + dt.timedelta(seconds=self.claim)
        self.places[who] = Place(price, until)

    def pass_on_if_due(self) -> None:
        """As the beat does: each free place to the next who waits."""
        for who in self.waiting():
            held = [one for one in self.places.values() if self.now_of(one)[0] in (ADMITTED, COMPLETED)]
            if self.may_get_a_chance() and len(held) < self.plain.winners:
                self.give(who, self.plain.limit(who))

    # --- What should be told ---

    def now_of(self, place: Place) -> tuple[str, str]:
        if place.status == ADMITTED and place.until is not None and clock.now() >= place.until:
            return DENIED, "ADMISSION_EXPIRED"
        return place.status, place.reason

    def waiting(self) -> list[str]:
        """Who has not won, the best first, below the reserve none."""
        left = [who for who in self.plain.ranking() if who not in self.places]
        return [who for who in left if self.plain.meets_reserve(who)]

    def may_get_a_chance(self) -> bool:
        """Whether places go on at all."""
        used = sum(place.status == COMPLETED for place in self.places.values())
        is_on = self.chance and self.claim is not None and not self.is_cancelled
        return self.is_settled and is_on and used < self.plain.winners

    def standing(self, who: str) -> tuple[str, str]:
        """Status and reason."""
        if who in self.places:
            return self.now_of(self.places[who])
        if who in self.plain.denied or self.is_cancelled:
            return DENIED, "ADMIN_ACTION"
        if not self.is_settled or (self.may_get_a_chance() and who in self.waiting()):
            return QUEUED, ""
        is_below = who in self.best and not self.plain.meets_reserve(who)
        return DENIED, "RESERVE_NOT_MET" if is_below else "OUTBID"

    def bid_status(self, who: str) -> str:
        status = self.standing(who)[0]
        if status in (ADMITTED, COMPLETED):
            return "WON"
        if status != QUEUED:
            return "LOST"
        if self.is_settled or who not in self.plain.winning():
            return "OUTBID"
        return "WINNING" if self.plain.meets_reserve(who) else "ACTIVE"

    def expected(self, who: str) -> dict[str, Any]:
        """The part of a status that follows from the rules; what is null is left out."""
        status, reason = self.standing(who)
        is_open = status == QUEUED and not self.is_over()
        found = {
            "status": status,
            "denyReason": reason or None,
            "bidStatus": self.bid_status(who),
            "bidCount": 0 if self.is_cancelled else self._own(who),
            "currentBid": text(self.plain.price(who)) if self._is_winning(who) else None,
            "winningAmount": text(self.places[who].price) if status in (ADMITTED, COMPLETED) else None,
            "currentHighBid": text(self.high()),
            "minimumNextBid": text(self.plain.least()) if is_open else None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _own(self, who: str) -> int:
        return sum(bid.who == who and not bid.is_void for bid in self.plain.bids)

    def _is_winning(self, who: str) -> bool:
        return self.standing(who)[0] == QUEUED and not self.is_settled and who in self.plain.winning()

    def high(self) -> int | None:
        """Where staff cancelled it there is none any more."""
        return None if self.is_cancelled else self.price if self.is_settled else self.plain.high()

    # --- The two side by side ---

    def require_equal(self, world: World) -> None:
        """Price, least bid, closing and phase as anyone sees them; then how each bidder stands."""
        self.settle_if_due()
        told = world.shop_front().get(f"/auctions/{self.auction.pk}").json()
        assert told["currentHighBid"] == text(self.high())
        assert told["minimumNextBid"] == (None if self.is_over() else text(self.plain.least()))
        assert told["bidCount"] == self.counted()
        if not self.is_cancelled:
            assert dt.datetime.fromisoformat(told["closeAt"]) == self.closing.at
        ended = "SETTLED" if self.is_settled else "CLOSED"
        assert told["status"] == (ended if self.is_over() else "OPEN")
        expected = {
            number: self.expected(str(number)) for number in range(len(self.people)) if self.has_bid(number)
        }
        if expected == self.last_expected:  # nothing should have moved, which the price has shown as well
            return
        self.last_expected = expected
        for number, one in enumerate(self.people):
            answer = one.status(self.auction)
            if number not in expected:
                assert answer.status_code == 404
                continue
            body, absent = answer.json(), set(_COMPARED) - set(expected[number])
            found = {name: body.get(name) for name in _COMPARED}
            assert found == expected[number] | dict.fromkeys(absent), number

    def has_bid(self, number: int) -> bool:
        return any(bid.who == str(number) for bid in self.plain.bids)

    def counted(self) -> int:
        """Bids that count: not void, and of nobody who was taken out before winning; then as at the end."""
        if self.is_cancelled:
            return 0
        return self.count if self.is_settled else self.counting()

    def counting(self) -> int:
        """A raise of a maximum is nobody's business, its number included."""
        shown = [bid for bid in self.plain.bids if bid.kind != RAISE and not bid.is_void]
        return sum(bid.who not in self.plain.denied for bid in shown)

    def require_rows(self) -> None:
        """One row and one trace for each bid, in order, and those accepted are the model's."""
        rows = list(Bid.objects.filter(auction=self.auction.pk).order_by("number"))
        numbers = list(range(1, self.plain.decided + 1))
        assert [row.number for row in rows] == numbers
        accepted = [(row.number, str(row.kind), row.amount) for row in rows if not row.refusal]
        assert accepted == [(bid.number, bid.kind, bid.amount) for bid in self.plain.bids]
        events = Event.objects.filter(distribution_id=self.auction.pk)
        told = events.filter(name__in=["auction.bid.placed", "auction.bid.refused"]).order_by("id")
        assert [event.data["bid"] for event in told] == [row.pk for row in rows]
        assert Auction.objects.get(pk=self.auction.pk).number == self.plain.decided
        assert events.filter(name="auction.settled").count() == int(self.is_settled)

    # --- One bid ---

    def bid(self, number: int, amount: int, maximum: int | None) -> None:
        """In both, and the same comes of it."""
        who, before = str(number), self.people[number]
        answer = before.bid(self.auction, text(amount), text(maximum))
        body = answer.json()
        if self.is_over():
            self.plain.decided += 1
            assert body["code"] == "AUCTION_CLOSED"
            return
        if who in self.places or who in self.plain.denied:
            self.plain.decided += 1
            assert (body["code"], body["status"]) == ("ILLEGAL_TRANSITION", self.standing(who)[0])
            return
        kind = self.plain.bid(who, amount, maximum)
        if kind.startswith("BID_"):
            assert body.get("code") == kind, body
            return
        if kind == BUY_NOW:
            assert self.plain.buy_now is not None
            self.give(who, self.plain.buy_now)
        if self.plain.places() == 0:
            self.closing.at = clock.now()
        elif kind != RAISE:
            self.closing.accepted(clock.now())
        expected = self.expected(who)
        assert {name: body.get(name) for name in expected} == expected


_COMPARED = (
    "status", "denyReason", "bidStatus", "bidCount", "currentBid", "winningAmount", "currentHighBid",
    "minimumNextBid",
)  # fmt: skip


def tick() -> None:
    """What a second of the beat does."""
    tasks.expire_admissions()
    tasks.tick_auctions()
