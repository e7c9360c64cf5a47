"""One bidder: arrives, signs in, bids as long as it is worth it, waits for the end, and buys if they won."""

import asyncio
import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from distributions.crowd.person import Person, Plan, Record, Venue
from distributions.crowd.wire import Refused

TOO_LATE_OR_LOW = ("BID_TOO_LOW", "BID_BELOW_INCREMENT", "AUCTION_CLOSED")
_chance = random.SystemRandom()


@dataclass(frozen=True)
class Placed:
    """A bid that was accepted: what was named, up to what the proxy may go, and when that was."""

    amount: Decimal
    maximum: Decimal
    at: dt.datetime


@dataclass
class BidRecord(Record):
    """What one bidder saw and did; `prices` in the order in which they were told.

    What everybody is shown of an auction may be a second old; a bidder's own answers are not.
    """

    bids: list[Placed] = field(default_factory=list)
    refused_bids: int = 0
    prices: list[Decimal] = field(default_factory=list)
    closings: list[dt.datetime] = field(default_factory=list)
    paid: Decimal | None = None

    @property
    def maximum(self) -> Decimal:
        """As far as they would have gone at most; nothing before the first bid."""
        return max((bid.maximum for bid in self.bids), default=Decimal(0))


class Bidder(Person):
    """One consumer who bids up to what it is worth to them: `steps` increments above the starting price."""

    record: BidRecord

    def __init__(self, venue: Venue, plan: Plan, steps: int) -> None:
        super().__init__(venue, plan)
        self.record = BidRecord()
        self._steps = steps
        self._is_winning = False

    async def live(self) -> None:
        """The whole way; ends when the auction is over, or the API refuses."""
        await asyncio.sleep(self._plan.arrives_after)
        try:
            await self._sign_in()
            await self._bid_on()
            if self.record.bids:
                await self._wait_for_the_end()
        except Refused as refusal:
            self.record.outcome = refusal.code

    async def give_up(self) -> None:
        """Nobody can take a bid back; what was bid stands."""

    async def _bid_on(self) -> None:
        """Until it is over, or too dear."""
        while True:
            auction = await self._look()
            if auction["status"] not in ("PENDING", "OPEN"):
                break
            worth = Decimal(auction["startingPrice"]) + self._steps * Decimal(auction["minimumBidIncrement"])
            least = Decimal(auction["minimumNextBid"])
            if not self._is_winning and least > worth:
                break
            if not self._is_winning:
                await self._bid(least, worth, Decimal(auction["minimumBidIncrement"]))
            await asyncio.sleep(auction.get("pollAfterSeconds", 2) * _chance.uniform(0.5, 1.0))
            if self.record.bids:
                self._note_bid(await self._ask("status", "GET"))
        self.record.outcome = self.record.outcome or "NEVER_BID"

    async def _look(self) -> Any:
        auction = await self._send("", "GET")
        if auction["closeAt"] is not None:
            self.record.closings.append(dt.datetime.fromisoformat(auction["closeAt"]))
        return auction

    async def _bid(self, least: Decimal, worth: Decimal, step: Decimal) -> None:
        """The least, or a little more; now and then a proxy goes on from there."""
        amount = min(worth, least + step * _chance.choice((0, 0, 1, 3)))
        most = min(worth, amount + step * _chance.randint(1, 12))
        body = {"amount": str(amount)} | ({"maxAmount": str(most)} if _chance.random() < 0.3 else {})
        try:
            answer = await self._send("bid", "POST", body, self.record.entry)
        except Refused as refusal:
            if refusal.code not in TOO_LATE_OR_LOW:
                raise
            self.record.refused_bids += 1
            return
        self._note(answer)
        at = dt.datetime.fromisoformat(answer["lastBidTime"])
        self.record.bids.append(Placed(amount, Decimal(body.get("maxAmount", amount)), at))
        self._note_bid(answer)

    def _note_bid(self, answer: Any) -> None:
        self._is_winning = answer["bidStatus"] in ("WINNING", "ACTIVE")
        if "currentHighBid" in answer:
            self.record.prices.append(Decimal(answer["currentHighBid"]))

    async def _wait_for_the_end(self) -> None:
        answer = await self._wait(await self._ask("status", "GET"))
        if answer["status"] == "ADMITTED":
            self.record.paid = Decimal(answer["winningAmount"])
            await self._buy(answer)
