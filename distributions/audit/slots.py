"""An appointment's slots: never more bookings at once than places, and nobody twice in one slot. Pure."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from distributions.audit.findings import Ledger

SLOTS = "no slot has more bookings than places"
TWICE = "nobody has two places in one slot"


@dataclass
class Booked:
    """A booking; `made` and `freed` are when it took its place and gave it back (None: it has it).

    `places` is how many a slot had when it was made; `is_done` that it was completed.
    """

    id: str
    participation: int
    consumer_id: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    made: dt.datetime
    freed: dt.datetime | None
    places: int
    is_done: bool = False
    beside: int = 0  # how many others had a place in its slot when it was made


def check(bookings: Iterable[Booked], ledger: Ledger) -> None:
    """Weigh all, which come by their start. One takes a place in each slot that it reaches into."""
    near: list[Booked] = []
    for one in bookings:
        over = [other for other in near if other.ends_at <= one.starts_at]
        near = [other for other in near if other.ends_at > one.starts_at]
        _weigh(over, ledger)
        for other in near:
            first, then = sorted((one, other), key=lambda booked: booked.participation)
            if first.freed is None or first.freed > then.made:
                then.beside += 1
            if _is_double(first, then):
                ids = {"booking": then.id, "other": first.id, "consumer": then.consumer_id}
                ledger.of(TWICE).breaks("two at once", **ids)
        ledger.of(TWICE).weighed += 1
        near.append(one)
    _weigh(near, ledger)


def _is_double(one: Booked, other: Booked) -> bool:
    """Whether one person has both now. Until a merger they were two people's, and what both have completed
    stays as it is.
    """
    is_held = one.freed is None and other.freed is None and not (one.is_done and other.is_done)
    return is_held and (one.consumer_id, one.starts_at) == (other.consumer_id, other.starts_at)


def _weigh(over: list[Booked], ledger: Ledger) -> None:
    for one in over:
        ids = {"booking": one.id, "participation": one.participation}
        told = f"{one.beside + 1} of {one.places} at {one.starts_at}"
        ledger.of(SLOTS).require(one.beside < one.places, told, **ids)
