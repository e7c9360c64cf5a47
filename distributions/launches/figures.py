"""How a distribution stands, in one line, from its own rows alone: no question to PostgreSQL for each."""

import datetime as dt
from collections.abc import Callable
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.formats import date_format

from distributions.auctions import rules as auctions
from distributions.core import phases
from distributions.core.models import Distribution, Kind
from distributions.draws import rules as draws
from distributions.timed_releases import rules as timed_releases
from fanfare import money

PHASES: dict[Kind, Callable[[Distribution, dt.datetime], StrEnum]] = {
    Kind.DRAW: draws.phase,
    Kind.AUCTION: auctions.phase,
}


def phase(distribution: Distribution, now: dt.datetime) -> StrEnum:
    """Its phase, as its kind calls it."""
    return PHASES.get(Kind(distribution.kind), phases.phase)(distribution, now)


def when(instant: dt.datetime, zone: str) -> str:
    """`Tue 1 Dec, 10:00 CET`: a time of a launch, in its zone."""
    return date_format(instant.astimezone(ZoneInfo(zone)), "D j\u00a0M, H:i\u00a0T")


def _queue(queue: Distribution) -> list[str]:
    tally, rate = queue.tally, queue.queue.admission_rate
    pace = "by hand only" if rate is None else f"{rate:,} a minute"
    return [
        f"{tally.taken:,} waiting", f"{tally.inside:,} inside", f"{tally.completed:,} completed", pace
    ]  # fmt: skip


def _draw(draw: Distribution) -> list[str]:
    drawing, tally = draw.drawing, draw.tally
    entries = drawing.entries if drawing.frozen_at else tally.taken
    found = [_counted(entries, "entry", "entries"), _counted(draw.draw.winner_count, "place")]
    return found + ([f"{tally.completed:,} claimed"] if drawing.drawn_at else [])


def _auction(auction: Distribution) -> list[str]:
    own = auction.auction
    price = own.starting_price if own.high is None else own.high
    told = f"{money.text(price, own.currency_code)}\u00a0{own.currency_code}"
    return [
        told if own.high is not None else f"from {told}",
        _counted(own.bids, "bid"),
        _counted(auction.tally.taken, "bidder"),
    ]


def _release(release: Distribution) -> list[str]:
    tally, left = release.tally, timed_releases.available(release)
    stock = "any number left" if left is None else f"{left:,} of {tally.places:,} left"
    return [stock, f"{tally.inside:,} claimed", f"{tally.completed:,} completed"]


def _appointment(appointment: Distribution) -> list[str]:
    tally = appointment.tally
    return [f"{tally.inside:,} booked", f"{tally.completed:,} checked in"]


def _waitlist(waitlist: Distribution) -> list[str]:
    return [f"{waitlist.tally.taken:,} on it"]


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


_LINES: dict[Kind, Callable[[Distribution], list[str]]] = {
    Kind.QUEUE: _queue,
    Kind.DRAW: _draw,
    Kind.AUCTION: _auction,
    Kind.TIMED_RELEASE: _release,
    Kind.APPOINTMENT: _appointment,
    Kind.WAITLIST: _waitlist,
}


def line(distribution: Distribution) -> str:
    """Its numbers as they are now."""
    return " · ".join(_LINES[Kind(distribution.kind)](distribution))


def _limit(number: int | None, words: str) -> str:
    return f"any number {words}" if number is None else f"{number:,} {words}"


def _of_queue(queue: Distribution) -> list[str]:
    rate = queue.queue.admission_rate
    return [
        _limit(queue.tally.places, "in line"),
        "admitted by hand" if rate is None else f"{rate:,} a minute",
        *([] if queue.queue.max_admissions is None else [f"{queue.queue.max_admissions:,} in all"]),
    ]


def _of_draw(draw: Distribution) -> list[str]:
    at = when(draw.draw.draw_at, draw.zone)
    return [_counted(draw.draw.winner_count, "place"), f"drawn {at}"]


def _of_auction(auction: Distribution) -> list[str]:
    own = auction.auction
    starts = f"from {money.text(own.starting_price, own.currency_code)}\u00a0{own.currency_code}"
    return [starts, f"{_counted(own.winner_count, 'winner')}"]


def _of_release(release: Distribution) -> list[str]:
    return [_limit(release.tally.places, "units")]


def _of_appointment(appointment: Distribution) -> list[str]:
    own = appointment.appointment
    return [f"{own.slot_minutes} min a slot", _counted(own.places_per_slot, "place")]


def _of_waitlist(waitlist: Distribution) -> list[str]:
    offered = waitlist.waitlist.offer_sequence
    told = f"is offered what comes free behind {offered}" if offered else "told by staff"
    return [_limit(waitlist.tally.places, "people"), told]


_SETUPS: dict[Kind, Callable[[Distribution], list[str]]] = {
    Kind.QUEUE: _of_queue,
    Kind.DRAW: _of_draw,
    Kind.AUCTION: _of_auction,
    Kind.TIMED_RELEASE: _of_release,
    Kind.APPOINTMENT: _of_appointment,
    Kind.WAITLIST: _of_waitlist,
}


def setup(distribution: Distribution) -> str:
    """What it was set up to do."""
    return " · ".join(_SETUPS[Kind(distribution.kind)](distribution))
