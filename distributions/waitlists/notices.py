"""What an entry of a waitlist was told, and until when a code that came with it is good."""

import datetime as dt
from collections.abc import Iterable

from distributions.core.models import Distribution, Status
from distributions.core.standing import Standing
from distributions.waitlists.models import Notice, Outcome


def of(distribution: Distribution, standing: Standing) -> list[Notice]:
    """The notices of this entry, the newest first, as stored now or as `load` found them."""
    known: dict[int, list[Notice]] | None = getattr(distribution, "notices_of_one", None)
    if known is not None:
        return known.get(standing.id, [])
    return list(Notice.objects.filter(participation_id=standing.id).order_by("-id"))


def ended_by(standing: Standing) -> Notice | None:
    """The offer with which this entry ended, claimed or lapsed; None: it did not end so."""
    if standing.status != Status.LEFT:
        return None
    ended = Notice.objects.filter(participation_id=standing.id, ended_at=standing.ended_at)
    return ended.filter(outcome__in=(Outcome.CLAIMED, Outcome.LAPSED)).first()


def load(pairs: Iterable[tuple[Distribution, Standing]]) -> None:
    """Fetch the notices of all of these at once, for `of`; for distributions that nobody remembers."""
    pairs = list(pairs)
    rows = Notice.objects.filter(participation__in=[standing.id for _, standing in pairs])
    found: dict[int, list[Notice]] = {}
    for notice in rows.order_by("-id"):
        found.setdefault(notice.participation_id, []).append(notice)
    for distribution, _ in pairs:
        distribution.notices_of_one = found  # type: ignore[attr-defined]


def offered_until(notices: Iterable[Notice], now: dt.datetime) -> dt.datetime | None:
    """Until when the last of their codes is good; None where none is."""
    over = (Outcome.CLAIMED, Outcome.LAPSED)
    ends = [one.expires_at for one in notices if one.expires_at is not None and one.outcome not in over]
    return max((at for at in ends if at > now), default=None)
