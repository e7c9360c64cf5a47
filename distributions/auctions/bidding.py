"""One bid, decided: by the database's time, under the auction's lock, in one transaction.

Accepted or refused, it is a row and a trace when this returns or raises; only what comes faster than the rate
limit, or never was a bid, leaves none. What decides about the price is `book`.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from distributions.auctions import book, state, statements
from distributions.auctions.book import BidKind, Book, Offer, Refusal, Verdict
from distributions.auctions.models import Bidder
from distributions.auctions.state import BidStatus, Figures
from distributions.auctions.statements import Look, Ranked
from distributions.core import doors, fingerprints, lifecycle
from distributions.core.models import Distribution, Status
from distributions.core.standing import Standing
from fanfare import errors, ids, money
from fanfare.errors import Detail
from fanfare.wire import iso

Events = list[tuple[str, str | None, dict[str, Any]]]
"""Name, consumer and data of rows of the trace."""
_REFUSALS: dict[Refusal, type[errors.BidTooLow]] = {
    Refusal.TOO_LOW: errors.BidTooLow,
    Refusal.BELOW_INCREMENT: errors.BidBelowIncrement,
}


@dataclass(frozen=True)
class Ask:
    """What a consumer bids, in minor units of `currency`; `key` is the idempotency key's hash."""

    amount: int
    maximum: int | None
    currency: str
    key: bytes | None = None

    @property
    def asked(self) -> list[int | None]:
        """What a repeated bid is compared by."""
        return [self.amount, self.maximum]


@dataclass(frozen=True)
class Answer:
    """How the bidder stands after the bid."""

    standing: Standing
    figures: Figures


def bid(
    distribution: Distribution, consumer_id: str, ask: Ask, *, actor: str, fingerprint: bytes | None
) -> Answer:
    """Bid. Raises BidTooLow, BidBelowIncrement, NotOpenYet, Closed, KeyReused, IllegalMove (no longer taking
    part), NotAuthenticated (merged or erased just now), Invalid (the currency was another one).

    The first accepted one enters the consumer; over the device limit they are DENIED.
    """
    with transaction.atomic(durable=True):
        seen = statements.look(distribution.pk, consumer_id, ask.key)
        outcome = _Bid(distribution, consumer_id, ask, seen, actor, fingerprint).decide()
    if isinstance(outcome, errors.FanfareError):
        raise outcome
    return outcome


@dataclass(frozen=True)
class _Bid:
    """One bid and all that it is decided by."""

    distribution: Distribution
    consumer_id: str
    ask: Ask
    seen: Look
    actor: str
    fingerprint: bytes | None

    def decide(self) -> Answer | errors.FanfareError:
        """What to answer; everything is written, also where it is a refusal."""
        seen, ask = self.seen, self.ask
        if not seen.is_living:
            return errors.NotAuthenticated("The session has ended.")
        if seen.before is not None:
            return self._repeated(seen.before)
        if ask.currency != seen.auction.currency_code:
            return errors.Invalid(Detail("amount", f"Bids are in {seen.auction.currency_code}."))
        standing = seen.standing
        if standing is not None and standing.place is None:  # turned away at the door, as at the first bid
            return self._turned_away(standing)
        barred = self._barred()
        if barred is not None:
            self._refuse(barred.code)
            return barred
        before = book.open_book(state.terms_of(seen.auction), [one.offer for one in seen.best])
        own, number = state.offer_of(seen.bidder), seen.auction.number + 1
        bidder = seen.standing.id if seen.standing else 0  # who is new has no number yet
        verdict = book.decide(before, own, bidder, number, ask.amount, ask.maximum)
        if verdict.refusal is not None:
            answer = {"asked": ask.asked, "least": verdict.least} if ask.key else None
            self._refuse(verdict.refusal, answer)
            return self._refusal(verdict.refusal, verdict.least)
        return self._accept(before, verdict)

    def _repeated(self, before: statements.Before) -> Answer | errors.FanfareError:
        """The first answer again. What was bought at once may have been completed since."""
        standing = self.seen.standing
        if before.answer["asked"] != self.ask.asked:
            return errors.KeyReused("This Idempotency-Key came with another bid.")
        if before.refusal:
            return self._refusal(Refusal(before.refusal), before.answer["least"])
        assert standing is not None
        if before.kind == BidKind.BUY_NOW:
            standing = standing.at(self.seen.at)
        else:
            waiting: dict[str, Any] = dict.fromkeys(("admitted_at", "expires_at", "ended_at"))
            standing = replace(standing, status=Status.QUEUED, deny_reason="", **waiting)
        return Answer(standing, Figures.from_json(before.answer["figures"]))

    def _barred(self) -> errors.FanfareError | None:
        """Why no bid at all is taken of this consumer now, or of anybody."""
        seen, title = self.seen, self.distribution.title
        is_over = seen.close_at is not None and seen.at >= seen.close_at
        if is_over or seen.closed_at is not None or seen.auction.cancelled_at is not None:
            return errors.Closed(title)
        if seen.open_at is not None and seen.at < seen.open_at:
            return errors.NotOpenYet(title, seen.open_at, now=seen.at, wait_until=seen.open_at)
        if seen.standing is not None and seen.standing.status != Status.QUEUED:
            status = seen.standing.at(seen.at).status
            return errors.IllegalMove(f"It is {status}.", status=status)
        return None

    def _refusal(self, refusal: Refusal, least: int) -> errors.FanfareError:
        return _REFUSALS[refusal](money.text(least, self.ask.currency))

    def _refuse(self, reason: str, answer: dict[str, Any] | None = None) -> None:
        auction, ask = self.seen.auction, self.ask
        auction.number += 1
        row = self._row(BidKind.BID, ask.amount, ask.maximum) | {"refusal": reason, "answer": answer}
        row["idempotency_key"] = ask.key if answer else None
        told = {"bid": row["id"], "amount": ask.amount, "currency": ask.currency, "reason": reason}
        statements.write(auction, row, trace=self._trace([("auction.bid.refused", self.consumer_id, told)]))

    def _row(self, kind: BidKind, amount: int, maximum: int | None) -> dict[str, Any]:
        """The columns of the bid's row as they are before it is decided."""
        seen = self.seen
        return {
            "id": ids.new("bid"),
            "auction_id": seen.auction.pk,
            "number": seen.auction.number,
            "consumer_id": self.consumer_id,
            "participation_id": seen.standing and seen.standing.id,
            "at": seen.at,
            "kind": kind,
            "amount": amount,
            "max_amount": maximum,
            "refusal": "",
            "high_after": seen.auction.high,
            "closes_at": seen.close_at,
            "void_reason": "",
            "idempotency_key": None,
            "answer": None,
        }

    def _trace(self, events: Events) -> dict[str, Any]:
        return {
            "organization": self.distribution.organization_id,
            "actor": self.actor,
            "events": [{"name": name, "consumer": consumer, "data": data} for name, consumer, data in events],
        }

    def _accept(self, before: Book, verdict: Verdict) -> Answer:
        standing = self._enter()
        if standing.status != Status.QUEUED:
            return self._turned_away(standing)
        assert verdict.kind is not None
        assert verdict.offer is not None
        high, auction, at = self.seen.auction.high, self.seen.auction, self.seen.at
        offer = replace(verdict.offer, bidder=standing.id)
        bidder = self._bidder(offer)
        auction.number += 1
        auction.bids += verdict.kind != BidKind.RAISE  # that one was raised is nobody's business
        if verdict.kind == BidKind.BUY_NOW:
            standing = self._buy(standing, bidder)
        after = self._record(offer, standing)
        moved_to = self._closing(verdict.kind == BidKind.RAISE)
        close_at = moved_to or self.seen.close_at
        figures = state.figures(auction, bidder, standing, close_at=close_at, now=at)
        row = self._row(verdict.kind, offer.amount, self.ask.maximum) | {
            "participation_id": standing.id,
            "closes_at": close_at,
            "idempotency_key": self.ask.key,
            "answer": {"asked": self.ask.asked, "figures": figures.as_json()} if self.ask.key else None,
        }
        price = {"bid": row["id"], "from": high, "to": auction.high, "currency": self.ask.currency}
        told = price | {"kind": verdict.kind, "amount": offer.amount}
        events: Events = [("auction.bid.placed", self.consumer_id, told)]
        losers = self._outbid(before, after)
        losers += [self.consumer_id] if figures.bid_status == BidStatus.OUTBID else []
        events += [("auction.bid.outbid", loser, price) for loser in losers]
        if moved_to is not None:
            told = {"bid": row["id"], "from": iso(self.seen.close_at or at), "to": iso(moved_to)}
            events.append(("auction.extended", None, told))
        statements.write(auction, row, trace=self._trace(events), bidder=bidder, close_at=moved_to)
        return Answer(standing, figures)

    def _turned_away(self, standing: Standing) -> Answer:
        """Too many from one device: DENIED, as at any door, and without a place."""
        self._refuse(standing.deny_reason)
        return Answer(standing, Figures(BidStatus.LOST, 0))

    def _enter(self) -> Standing:
        """Their participation, or a new one; another device than at the first bid raises its flag."""
        standing, at = self.seen.standing, self.seen.at
        if standing is None:
            return lifecycle.enter(
                self.distribution, self.consumer_id, now=at, actor=self.actor, fingerprint=self.fingerprint
            )
        if not fingerprints.matches(standing.fingerprint, self.fingerprint):
            doors.raise_risk(self.distribution, standing, now=at, actor=self.actor)
        return standing

    def _bidder(self, offer: Offer) -> Bidder:
        """The bidder with this bid."""
        found = self.seen.bidder or Bidder(participation_id=offer.bidder, auction=self.seen.auction)
        found.maximum, found.since, found.amount = offer.maximum, offer.since, offer.amount
        found.bids += 1
        found.last_amount, found.last_at = offer.amount, self.seen.at
        return found

    def _buy(self, standing: Standing, bidder: Bidder) -> Standing:
        """One of the places, at once and at the price announced."""
        auction, at = self.seen.auction, self.seen.at
        auction.bought += 1
        auction.high, auction.leader, auction.high_at = bidder.amount, standing.place, at
        bidder.price = bidder.amount
        (admitted,) = lifecycle.admit(
            self.distribution,
            [standing.id],
            now=at,
            actor=self.actor,
            expires_at=state.claim_until(auction, at),
            data={"boughtNow": True},
        )
        return admitted

    def _record(self, offer: Offer, standing: Standing) -> Book:
        """Note what follows from the bid on the auction's row; the book with it."""
        best = [one for one in self.seen.best if one.offer.bidder != offer.bidder]
        if standing.status == Status.QUEUED:
            best.append(Ranked(offer, standing.place or 0, self.consumer_id))
        after = book.open_book(state.terms_of(self.seen.auction), [one.offer for one in best])
        state.record(self.seen.auction, after, best, self.seen.at)
        return after

    def _closing(self, is_raise: bool) -> dt.datetime | None:
        """To when the closing moves: later by the soft close, or to now when the last place was bought.

        Raising one's own maximum moves nothing: it costs nothing, and would use up the extensions.
        """
        seen = self.seen
        if seen.auction.bought >= seen.auction.winner_count:
            return state.earliest_end(seen.open_at, seen.at)
        if is_raise:
            return None
        later = state.extended(seen.auction, seen.close_at, seen.at)
        seen.auction.extensions += 0 if later is None else 1
        return later

    def _outbid(self, before: Book, after: Book) -> list[str]:
        """Which others were winning and are no more."""
        others = [one for one in self.seen.best if one.consumer_id != self.consumer_id]
        losers = [one.consumer_id for one in others if before.is_winning(one.offer.bidder)]
        still = {one.consumer_id for one in others if after.is_winning(one.offer.bidder)}
        return [loser for loser in losers if loser not in still]
