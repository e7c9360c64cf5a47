"""What a timed release decides: whoever enters while it is open and in stock is admitted at once.

A unit is held by who is admitted or has completed; leaving, a denial and the end of the claim give it back.
The claim's end counts at its very second: who finds the stock used up writes down what has ended first.
"""

import datetime as dt
import math
from typing import Any

from django.db.models import F

from distributions.core import lifecycle, phases
from distributions.core.models import Distribution, Participation, Status, Tally
from distributions.core.standing import Standing
from fanfare import errors

AT_ONCE = 1_000  # claims that one entrant ends
RETRY = 15  # seconds, where nobody can tell when a unit may come back

leave = lifecycle.leave
adjusting = lifecycle.unadjusted


def enter(
    distribution: Distribution,
    consumer_id: str,
    *,
    now: dt.datetime,
    actor: str,
    fingerprint: bytes | None,
    metadata: dict[str, Any] | None = None,
) -> Standing:
    """Claim a unit, or find the one they have. Raises NotOpenYet, Closed, SoldOut."""
    phases.require_open(distribution, now=now)
    release = distribution.timed_release
    lasts = release.claim_seconds
    claim: dict[str, Any] = {
        "units": release.max_per_consumer,
        "admitted": True,
        "expires_at": None if lasts is None else now + dt.timedelta(seconds=lasts),
    }
    values: dict[str, Any] = {"now": now, "actor": actor, "fingerprint": fingerprint, "metadata": metadata}
    try:
        return lifecycle.enter(distribution, consumer_id, **values, **claim)
    except errors.Full:
        if not _end_claims(distribution, now) and not _in_stock(distribution):
            raise _sold_out(distribution, now) from None
    try:
        return lifecycle.enter(distribution, consumer_id, **values, **claim)
    except errors.Full:
        raise _sold_out(distribution, now) from None


def _end_claims(distribution: Distribution, now: dt.datetime) -> bool:
    """End the claims whose time is over; whether any unit came back by that."""
    inside = Participation.objects.filter(distribution_id=distribution.pk, status=Status.ADMITTED)
    over = inside.filter(expires_at__lte=now).order_by("expires_at").values_list("id", flat=True)
    return bool(lifecycle.expire(distribution, list(over[:AT_ONCE]), now=now))


def _in_stock(distribution: Distribution) -> bool:
    """Whether a unit is there: somebody else may have ended the claims that were over a moment ago."""
    return Tally.objects.filter(pk=distribution.pk, taken__lt=F("places")).exists()


def _sold_out(distribution: Distribution, now: dt.datetime) -> errors.SoldOut:
    """With the time to the next claim's end, where one is open; no time where all is completed, or what comes
    back comes after the closing.
    """
    inside = Participation.objects.filter(distribution_id=distribution.pk, status=Status.ADMITTED)
    first = inside.order_by("expires_at").values_list("expires_at").first()  # nulls come last
    if first is None:
        return errors.SoldOut(distribution.title)
    wait = max(1, RETRY if first[0] is None else math.ceil((first[0] - now).total_seconds()))
    comes_late = (
        distribution.close_at is not None and now + dt.timedelta(seconds=wait) >= distribution.close_at
    )
    return errors.SoldOut(distribution.title, retry_after=None if comes_late else wait)


def closes_at(distribution: Distribution) -> dt.datetime | None:
    """When nobody claims any more, by the clock."""
    return distribution.close_at


def current(distribution: Distribution, now: dt.datetime) -> Distribution:
    """The release as it is: nothing has to be done before it is looked at."""
    return distribution


def standing_at(distribution: Distribution, standing: Standing, now: dt.datetime) -> Standing:
    """As it is at `now`; a claim that was made lasts, though the release may have closed."""
    return standing.at(now)


def available(distribution: Distribution) -> int | None:
    """Units that nobody holds; None: any number."""
    tally = distribution.tally
    return None if tally.places is None else max(0, tally.places - tally.taken)


def vacancies(distribution: Distribution, now: dt.datetime) -> int | None:
    """How many who come now would have a unit; None: any number."""
    return available(distribution)
