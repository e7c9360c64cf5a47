"""Where somebody may go on for whom a distribution has nothing left: `next` of the contract.

The sequence that follows, where staff named one; else the sequence's own waitlist, while one may enter it.
Asked only for who was refused or denied, and remembered for a second.
"""

import datetime as dt
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from distributions.core import phases
from distributions.core.models import Distribution, Kind, Reason, Status
from distributions.core.standing import Standing
from experiences.models import Sequence
from fanfare import errors
from fanfare.memo import Memo

# There was nothing for them; not said of those whom somebody turned away.
NOTHING_LEFT = (
    Reason.QUEUE_CLOSED,
    Reason.DRAW_CLOSED,
    Reason.NOT_SELECTED,
    Reason.OUTBID,
    Reason.RESERVE_NOT_MET,
)

TOO_LATE = (errors.Full, errors.SoldOut, errors.Closed)


@dataclass(frozen=True)
class _Ways:
    """What follows a sequence."""

    sequence_id: str | None
    waitlist: Distribution | None


def of_standing(
    distribution: Distribution, standing: Standing, rules: ModuleType, *, now: dt.datetime
) -> dict[str, Any]:
    """`next` for who is denied because nothing was left, or whose admission has ended when all is over."""
    if standing.status != Status.DENIED:
        return {}
    closes_at: dt.datetime | None = rules.closes_at(distribution)
    is_over = distribution.closed_at is not None or (closes_at is not None and now >= closes_at)
    expired = standing.deny_reason == Reason.ADMISSION_EXPIRED and is_over
    return _next(distribution, now) if expired or standing.deny_reason in NOTHING_LEFT else {}


def of_refusal(
    distribution: Distribution, refusal: errors.FanfareError, *, now: dt.datetime
) -> dict[str, Any]:
    """`next` for who came when it was full, sold out or closed."""
    is_paused = isinstance(refusal, errors.Closed) and refusal.is_paused
    return _next(distribution, now) if isinstance(refusal, TOO_LATE) and not is_paused else {}


def _next(distribution: Distribution, now: dt.datetime) -> dict[str, Any]:
    ways = _memo.get(distribution.sequence_id)
    if ways is None:
        return {}
    if ways.sequence_id is not None:
        return {"next": {"kind": "sequence", "id": ways.sequence_id}}
    waitlist = ways.waitlist
    if waitlist is None or distribution.kind == Kind.WAITLIST or phases.is_over(waitlist, now):
        return {}
    return {"next": {"kind": "waitlist", "id": waitlist.pk}}


def _load(sequence_id: str) -> _Ways | None:
    found = Sequence.objects.filter(pk=sequence_id).values_list("next").first()
    waitlist = Distribution.objects.filter(sequence_id=sequence_id, kind=Kind.WAITLIST).first()
    return None if found is None else _Ways(found[0], waitlist)


_memo: Memo[str, _Ways] = Memo(_load)
