"""The rules of auctions once more, as they are announced: plain, slow, and from the list of bids alone.

Nothing is shared with the product and nothing is kept that could be worked out: whenever somebody asks, who
stands for what is read off the bids anew, and a price is searched for unit by unit. Times are datetimes,
amounts minor units, people any names.
"""

import datetime as dt
from dataclasses import dataclass, field

BID, RAISE, BUY_NOW = "BID", "RAISE", "BUY_NOW"
TOO_LOW, BELOW_INCREMENT = "BID_TOO_LOW", "BID_BELOW_INCREMENT"


@dataclass
class PlainBid:
    """An accepted bid; a raise names no price, so it carries the one that its bidder named before."""

    number: int
    who: str
    kind: str
    amount: int
    maximum: int
    is_void: bool = False


@dataclass
class PlainAuction:
    """What was announced, the bids that were accepted, and who was taken out."""

    starting: int
    increment: int
    table: list[tuple[int, int]] = field(default_factory=list)
    reserve: int | None = None
    buy_now: int | None = None
    winners: int = 1
    bids: list[PlainBid] = field(default_factory=list)
    decided: int = 0  # bids, refused ones too
    denied: set[str] = field(default_factory=set)

    # --- Who stands for what ---

    def counting(self, who: str) -> list[PlainBid]:
        """Their bids for the places that are still to be had, in order."""
        return [bid for bid in self.bids if bid.who == who and not bid.is_void and bid.kind != BUY_NOW]

    def named(self, who: str) -> int:
        """The highest price that they named themselves."""
        return max(bid.amount for bid in self.counting(who))

    def limit(self, who: str) -> int:
        """As far as they would go."""
        return max(bid.maximum for bid in self.counting(who))

    def buyers(self) -> list[str]:
        return [bid.who for bid in self.bids if bid.kind == BUY_NOW]

    def places(self) -> int:
        """How many may still win."""
        return self.winners - len(self.buyers())

    def since(self, who: str) -> int:
        """The number of the bid that first went as far as their limit."""
        limit = self.limit(who)
        return min(bid.number for bid in self.counting(who) if bid.maximum == limit)

    def ranking(self) -> list[str]:
        """Everybody who still bids: who goes further comes first, of equals who said so earlier."""
        left = {bid.who for bid in self.bids if not bid.is_void and bid.kind != BUY_NOW}
        left -= self.denied | set(self.buyers())
        return sorted(left, key=lambda who: (-self.limit(who), self.since(who)))

    def winning(self) -> list[str]:
        """Reserve aside."""
        return self.ranking()[: self.places()]

    # --- Prices ---

    def step(self, price: int) -> int:
        """By how much the next bid has to exceed this price."""
        step = self.increment
        for start, larger in self.table:
            if price >= start:
                step = larger
        return step

    def price(self, who: str) -> int:
        """A winner's: what they named, raised just as far as needed, and never beyond their limit."""
        price, losing = self.named(who), self.ranking()[self.places() :]
        if losing:
            strongest = self.limit(losing[0])
            while price < self.limit(who) and price < strongest + self.step(strongest):
                price += 1
        while self.reserve is not None and self.limit(who) >= self.reserve and price < self.reserve:
            price += 1
        return price

    def high(self) -> int | None:
        """The price of the auction."""
        if self.places() == 0:
            return self.buy_now
        return max((self.price(who) for who in self.winning()), default=None)

    def least(self) -> int:
        """The least amount of the next bid of somebody new."""
        winning = self.winning()
        if not winning or len(winning) < self.places():
            return max(self.starting, 1)
        lowest = min(self.price(who) for who in winning)
        return lowest + self.step(lowest)

    def meets_reserve(self, who: str) -> bool:
        return self.reserve is None or self.limit(who) >= self.reserve

    def results(self) -> dict[str, int]:
        """Who wins when it ends now, besides those who bought, and for how much."""
        return {who: self.price(who) for who in self.winning() if self.meets_reserve(who)}

    # --- One more bid ---

    def bid(self, who: str, amount: int, maximum: int | None = None) -> str:
        """What becomes of it: BID, RAISE, BUY_NOW or why it is refused."""
        self.decided += 1
        kind = self._judge(who, amount, maximum)
        if kind in (BID, RAISE, BUY_NOW):
            named = amount if kind == BID else self.buy_now if kind == BUY_NOW else self.named(who)
            assert named is not None
            top = named if kind == BUY_NOW else maximum or amount
            self.bids.append(PlainBid(self.decided, who, kind, named, top))
        return kind

    def _judge(self, who: str, amount: int, maximum: int | None) -> str:
        least, is_winning = self.least(), who in self.winning()
        if self.buy_now is not None and amount >= self.buy_now and self.buy_now >= least:
            return BUY_NOW
        if amount >= least and not (is_winning and amount <= self.price(who)):
            return BID
        if is_winning and maximum and maximum > self.limit(who) and amount >= self.named(who):
            return RAISE
        is_free = len(self.winning()) < self.places()
        lowest = min((self.price(one) for one in self.winning()), default=0)
        return BELOW_INCREMENT if not is_free and lowest < amount < least else TOO_LOW


@dataclass
class Closing:
    """When it closes, and how bids move that."""

    at: dt.datetime
    window: int | None = None
    lasts: int = 0
    most: int | None = None
    hard_end: dt.datetime | None = None
    extensions: int = 0

    def is_over(self, now: dt.datetime) -> bool:
        return now >= self.at

    def accepted(self, now: dt.datetime) -> bool:
        """A bid was accepted; whether it moved the closing."""
        is_near = self.window is not None and now >= self.at - dt.timedelta(seconds=self.window)
        if not is_near or (self.most is not None and self.extensions >= self.most):
            return False
        later = now + dt.timedelta(seconds=self.lasts)
        later = later if self.hard_end is None else min(later, self.hard_end)
        if later <= self.at:
            return False
        self.at, self.extensions = later, self.extensions + 1
        return True
