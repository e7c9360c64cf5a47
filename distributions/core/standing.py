"""How one consumer stands in one distribution: the value that rules, Redis and the API hand around."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from distributions.core.models import Participation, Reason, Status

# What the Redis copy may replace: a later attempt, then a later state, then a place drawn anew.
STAGES = {Status.QUEUED: 1, Status.ADMITTED: 2}
FINAL_STAGE = 3


@dataclass(frozen=True)
class Standing:
    """A participation as it is at some instant; `position` is None while nobody has counted it."""

    id: int
    consumer_id: str
    status: Status
    place: int | None
    entered_at: dt.datetime
    admitted_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    deny_reason: str = ""
    fingerprint: bytes | None = None
    position: int | None = None

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> "Standing":
        """From the columns that `statements.COLUMNS` names."""
        values = list(row)
        values[2] = Status(values[2])
        values[9] = bytes(values[9]) if values[9] is not None else None
        return cls(*values)

    @classmethod
    def of(cls, row: Participation) -> "Standing":
        """As it is stored."""
        status = Status(row.status)
        fingerprint = None if row.fingerprint is None else bytes(row.fingerprint)
        times = (row.entered_at, row.admitted_at, row.expires_at, row.ended_at)
        return cls(row.pk, row.consumer_id, status, row.place, *times, row.deny_reason, fingerprint)

    @property
    def stage(self) -> int:
        """1 waiting, 2 admitted, 3 over."""
        return STAGES.get(self.status, FINAL_STAGE)

    @property
    def may_enter_again(self) -> bool:
        """Whether they left or let the admission expire, so that a later participation may follow."""
        return self.status == Status.LEFT or self.deny_reason == Reason.ADMISSION_EXPIRED

    def denied(self, reason: str, at: dt.datetime) -> "Standing":
        """The same, denied by the clock before anybody wrote it down."""
        return replace(self, status=Status.DENIED, deny_reason=reason, ended_at=at, position=None)

    def at(self, now: dt.datetime) -> "Standing":
        """As it is at `now`: an admission past its end is over, whatever the sweep is doing."""
        if self.status == Status.ADMITTED and self.expires_at is not None and self.expires_at <= now:
            return self.denied(Reason.ADMISSION_EXPIRED, self.expires_at)
        return self
