"""What an entry of a waitlist was told last."""

import datetime as dt
from collections.abc import Iterable

from distributions.core.models import Distribution
from distributions.core.standing import Standing
from distributions.waitlists.models import Notice, Outcome


def last_of(distribution: Distribution, standing: Standing) -> Notice | None:
    """The last notice of this entry, as stored now or as `load` found it."""
    known: dict[int, Notice] | None = getattr(distribution, "notices_of_one", None)
    if known is not None:
        return known.get(standing.id)
    return Notice.objects.filter(participation_id=standing.id).order_by("-id").first()


def load(pairs: Iterable[tuple[Distribution, Standing]]) -> None:
    """Fetch the notices of all of these at once, for `last_of`; for distributions that nobody remembers."""
    pairs = list(pairs)
    rows = Notice.objects.filter(participation__in=[standing.id for _, standing in pairs])
    found = {notice.participation_id: notice for notice in rows.order_by("id")}
    for distribution, _ in pairs:
        distribution.notices_of_one = found  # type: ignore[attr-defined]


def offered_until(notice: Notice, now: dt.datetime) -> dt.datetime | None:
    """Until when the code is good that came with it; None where there is none, or it is over."""
    is_over = notice.outcome in (Outcome.CLAIMED, Outcome.LAPSED)
    return None if is_over or notice.expires_at is None or notice.expires_at <= now else notice.expires_at
