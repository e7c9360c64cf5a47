"""Free places are offered to those who wait, one after the other: claimed, or passed on to the next.

Stands above the kinds: whatever is behind a sequence says how many places it has left (`vacancies`). One pass
is one transaction under the waitlist's row lock, so two workers offer nothing twice, and a pass that comes
late or again finds what is left to do.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from consumers.models import Redemption
from distributions.core import lifecycle, phases
from distributions.core.models import LIVE, Distribution, Kind, Participation, Status
from distributions.core.phases import Phase
from distributions.kinds import KINDS, RELATED
from distributions.waitlists import notifying
from distributions.waitlists.models import Mode, Notice, Outcome, Waitlist
from experiences import events
from experiences.models import AccessCode, Sequence

AT_ONCE = 500  # offers of one pass
# Whoever showed a code just before it ended may be on the way in: so long the place is still theirs.
HALF_WAY = dt.timedelta(seconds=5)
ACTOR = events.by_system("offers")
TEXT = "A place has come free, and it is yours if you want it. If you don't, the next in line is offered it."


def due() -> list[str]:
    """Waitlists that offer, and on which there is somebody, or something is open: an offer, or the way behind
    one that was claimed.
    """
    way_open = Q(outcome=Outcome.CLAIMED, access_code__redemptions__isnull=False)
    is_open = Notice.objects.filter(
        Q(outcome=Outcome.OPEN) | way_open, notification__distribution=OuterRef("distribution")
    )
    found = Waitlist.objects.filter(
        Q(distribution__tally__taken__gt=0) | Exists(is_open),
        mode=Mode.OFFER,
        offer_sequence__isnull=False,
    )
    return list(found.values_list("pk", flat=True))


@transaction.atomic(durable=True)
def run(distribution_id: str, *, now: dt.datetime) -> int:
    """End what is claimed or over, and offer what is free; how many were offered. Quietly none while another
    worker is at it.
    """
    rows = Waitlist.objects.select_for_update(no_key=True, skip_locked=True)
    waitlist = rows.filter(pk=distribution_id, mode=Mode.OFFER, offer_sequence__isnull=False).first()
    if waitlist is None:
        return 0
    distribution = Distribution.objects.select_related(*RELATED).get(pk=distribution_id)
    _end_claimed(distribution, now)
    _end_lapsed(distribution, now)
    _close_the_way(distribution)
    assert waitlist.offer_sequence is not None
    is_held = phases.phase(distribution, now) in (Phase.PENDING, Phase.PAUSED)
    number = 0 if is_held else _free(distribution, waitlist.offer_sequence, now)
    return _offer(distribution, waitlist, number, now) if number else 0


def _offers(distribution: Distribution, outcome: Outcome) -> QuerySet[Notice]:
    rows = Notice.objects.filter(notification__distribution=distribution, outcome=outcome)
    return rows.select_related("participation", "access_code")


def _places() -> QuerySet[Participation]:
    """What counts behind the sequence that was offered, since it was, of the consumer of a notice."""
    return Participation.objects.filter(
        distribution__sequence=OuterRef("notification__sequence"),
        consumer=OuterRef("participation__consumer"),
        entered_at__gte=OuterRef("created_at"),
        status__in=[*LIVE, Status.COMPLETED],
    ).exclude(distribution__kind=Kind.WAITLIST)


def _end_claimed(distribution: Distribution, now: dt.datetime) -> None:
    """They have what they waited for, and wait no more."""
    claimed = list(_offers(distribution, Outcome.OPEN).filter(Exists(_places())))
    _end(distribution, claimed, Outcome.CLAIMED, now)


def _end_lapsed(distribution: Distribution, now: dt.datetime) -> None:
    """Not taken in time, or not wanted any more: the code is worth nothing, and who still waited is off the
    list. They may enter again, at the end.
    """
    over = Q(expires_at__lte=now) | ~Q(participation__status=Status.QUEUED)
    lapsed = list(_offers(distribution, Outcome.OPEN).filter(over).exclude(Exists(_places())))
    _end(distribution, lapsed, Outcome.LAPSED, now)
    codes = [notice.access_code_id for notice in lapsed if notice.access_code_id is not None]
    AccessCode.objects.filter(pk__in=codes, revoked_at=None).update(revoked_at=now)
    Redemption.objects.filter(access_code__in=codes).delete()


def _end(distribution: Distribution, notices: list[Notice], outcome: Outcome, now: dt.datetime) -> None:
    waiting = [notice.participation_id for notice in notices]
    if not waiting:
        return
    lifecycle.leave_all(distribution, waiting, now=now, actor=ACTOR)
    ended = Notice.objects.filter(pk__in=[notice.pk for notice in notices])
    ended.update(outcome=outcome, ended_at=now)


def _close_the_way(distribution: Distribution) -> None:
    """An offer is of one place: when that is completed, or given up, its code opens the sequence no more."""
    inside = _places().filter(status__in=LIVE)
    used = _offers(distribution, Outcome.CLAIMED).filter(access_code__redemptions__isnull=False)
    codes = used.exclude(Exists(inside)).values_list("access_code_id", flat=True)
    Redemption.objects.filter(access_code__in=list(codes)).delete()


def _free(distribution: Distribution, sequence: Sequence, now: dt.datetime) -> int:
    """How many places there are that nobody has, or was offered, at most `AT_ONCE`."""
    free = 0
    for found in Distribution.objects.select_related(*RELATED).filter(sequence=sequence):
        rules = KINDS[Kind(found.kind)].rules
        if phases.phase(found, now) == Phase.OPEN:
            left = rules.vacancies(found, now)
            free += AT_ONCE if left is None else left
    offered = Notice.objects.filter(notification__sequence=sequence, notification__is_offer=True)
    held = Q(outcome=Outcome.OPEN) | Q(outcome=Outcome.LAPSED, ended_at__gt=now - HALF_WAY)
    return max(0, min(AT_ONCE, free - offered.filter(held).count()))


def _offer(distribution: Distribution, waitlist: Waitlist, number: int, now: dt.datetime) -> int:
    """Offer so many places to the next who wait and can be reached."""
    waiting = Participation.objects.filter(distribution=distribution, status=Status.QUEUED)
    next_ones = waiting.filter(notifying.can_be_reached()).exclude(notices__outcome=Outcome.OPEN)
    if not next_ones.exists():
        return 0
    made = notifying.announce(
        distribution,
        TEXT,
        now=now,
        actor=ACTOR,
        limit=number,
        sequence=waitlist.offer_sequence,
        code_seconds=waitlist.offer_seconds,
    )
    told = notifying.step(made.pk, now=now)
    made.refresh_from_db(fields=["finished_at"])
    if made.finished_at is None:  # fewer wait than there are places; who comes later is offered them anew
        type(made).objects.filter(pk=made.pk).update(finished_at=now)
    return told or 0
