"""Places, admissions and the rate at every instant, as the trace replays them in order. Pure.

Moves of one distribution are written one after the other, under its tally's lock, so that the order of their
events is the order in which they were decided: counting along it is exact, whatever their clocks said.
"""

import datetime as dt
from bisect import bisect_right
from dataclasses import dataclass, field

from distributions.audit.findings import Ledger
from distributions.audit.trace import Settings, Told
from distributions.core.models import HOLDING, Kind, Status

PLACES = "places are never exceeded"
INSIDE = "no more are inside than may be"
TOTAL = "no more are admitted than in all"
WINNERS = "no more win than there are places"
RATE = "the rate is kept in any minute"
ENDED = "nobody enters after the end"
MINUTE = dt.timedelta(minutes=1)
BATCH = "system:admit_queue"
_KEPT = 5 * MINUTE  # admissions that are remembered: clocks of several machines may differ


@dataclass
class Counting:
    """What is counted along the trace. `winners` is what a frozen list was drawn for."""

    kind: Kind
    settings: Settings
    ledger: Ledger
    winners: int | None = None
    taken: int = 0
    entered: int = 0
    admitted: int = 0
    completed: int = 0
    returned: int = 0
    most_taken: int = 0
    most_inside: int = 0
    busiest: int = 0
    closed_by: int | None = None
    _times: list[dt.datetime] = field(default_factory=list)
    _beyond: dict[str, Told] = field(default_factory=dict)  # entered over the limit, to be admitted by hand

    @property
    def inside(self) -> int:
        """Admitted and not done."""
        return self.admitted - self.completed - self.returned

    def see(self, told: Told) -> None:
        """The next event."""
        self.settings.apply(told.id)
        if told.name.endswith(".closed"):
            self.closed_by = told.id
        if not told.is_move or (told.place is None and told.is_entry):
            return  # another device showed up, or somebody was turned away at the door
        holding = HOLDING[self.kind]
        holds, held = told.to in holding, told.source in holding
        self.taken += holds - held
        if told.is_entry:
            self._enter(told, holds)
        self.completed += told.to == Status.COMPLETED
        self.returned += told.source == Status.ADMITTED and told.to in (Status.DENIED, Status.LEFT)
        if told.to == Status.ADMITTED:
            self._admit(told)
        self.most_taken = max(self.most_taken, self.taken)
        self.most_inside = max(self.most_inside, self.inside)

    def finish(self) -> None:
        """What was let in over the limit for somebody's hand, and never was admitted by it."""
        for consumer, told in self._beyond.items():
            self.ledger.of(PLACES).breaks("one too many", event=told.id, consumer=consumer)

    def _enter(self, told: Told, holds: bool) -> None:
        self.entered += 1
        ids = {"event": told.id, "consumer": told.consumer_id}
        self.ledger.of(ENDED).require(self.closed_by is None, f"closed by event {self.closed_by}", **ids)
        limit = self.settings.get("inventory" if self.kind == Kind.TIMED_RELEASE else "capacity")
        if limit is None or not holds:
            return
        is_by_hand = self.kind == Kind.QUEUE and not told.actor.startswith("consumer:")
        if self.taken > limit and is_by_hand:
            self._beyond[told.consumer_id] = told
            return
        self.ledger.of(PLACES).require(self.taken <= limit, f"{self.taken} of {limit}", **ids)

    def _admit(self, told: Told) -> None:
        self.admitted += 1
        if told.is_out_of_turn:
            self._beyond.pop(told.consumer_id, None)
        ids = {"event": told.id, "consumer": told.consumer_id}
        if self.kind == Kind.QUEUE:
            self._weigh_queue(told, ids)
        elif self.kind in (Kind.DRAW, Kind.AUCTION):
            limit = self.winners if self.kind == Kind.DRAW else self.settings.get("winnerCount")
            given = self.admitted - self.returned
            if limit is not None:
                self.ledger.of(WINNERS).require(given <= limit, f"{given} of {limit}", **ids)

    def _weigh_queue(self, told: Told, ids: dict[str, object]) -> None:
        total, most = self.settings.get("maxAdmissions"), self.settings.get("maxActive")
        used = self.admitted - (self.returned if self.settings.get("recycleExpired") else 0)
        if total is not None:
            self.ledger.of(TOTAL).require(used <= total, f"{used} of {total}", **ids)
        in_a_minute = self._in_a_minute(told.at)
        self.busiest = max(self.busiest, in_a_minute)
        if told.actor != BATCH or told.is_out_of_turn:
            return  # by hand: over the rate and over how many may be inside
        if most is not None:
            self.ledger.of(INSIDE).require(self.inside <= most, f"{self.inside} of {most}", **ids)
        rate = self.settings.get("admissionRate")
        is_kept = rate is not None and in_a_minute <= rate
        self.ledger.of(RATE).require(
            is_kept, f"{in_a_minute} in the minute up to {told.at}, {rate} allowed", **ids
        )

    def _in_a_minute(self, at: dt.datetime) -> int:
        """How many were admitted in the minute up to this admission, it included."""
        times = self._times
        if not times or times[-1] <= at:
            times.append(at)
        else:
            times.insert(bisect_right(times, at), at)
        if times[0] < times[-1] - 2 * _KEPT:
            del times[: bisect_right(times, times[-1] - _KEPT)]
        return len(times) - bisect_right(times, at - MINUTE)
