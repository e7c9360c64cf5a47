"""Entering and leaving an experience: which sequence a consumer may take.

Routed to the first by priority whose conditions they meet, a code at hand included; a code that was made for
them alone leads to its sequence, whatever the priority. It is decided anew each time they enter; when they
first did is kept.
"""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress

from django.db import IntegrityError, transaction

from consumers import conditions, identities
from consumers.conditions import Condition, Missing
from consumers.models import Redemption, Visit
from experiences import access_codes, events
from experiences.models import AccessCode, Experience, Sequence


def enter(
    experience: Experience,
    consumer_id: str,
    *,
    is_guest: bool,
    access_code: str,
    now: dt.datetime,
    actor: str,
) -> Visit:
    """The consumer's visit; where no sequence is open to them, it raises what they lack for the nearest:
    SignInRequired, AccessCodeRequired or NotEligible. NotAuthenticated for one who was merged or erased
    just now.
    """
    arguments = (experience, consumer_id, is_guest, access_code, now, actor)
    with suppress(IntegrityError):  # they entered twice at once: the second finds what the first one did
        return _enter(*arguments)
    return _enter(*arguments)


@transaction.atomic(durable=True)
def _enter(
    experience: Experience,
    consumer_id: str,
    is_guest: bool,
    access_code: str,
    now: dt.datetime,
    actor: str,
) -> Visit:
    identities.lock_living(consumer_id)
    sequences = list(experience.sequences.order_by("-priority", "id"))
    lacking = conditions.missing(sequences, consumer_id, is_guest=is_guest)
    codes = access_codes.valid(sequences, access_code, consumer_id, now=now)
    sequences.sort(key=lambda one: one.pk not in codes or not codes[one.pk].consumer_id)
    sequence = _first_open(sequences, lacking, codes, consumer_id, now)
    if sequence is None:
        conditions.refuse(sequences, _still_lacking(lacking, codes), is_guest=is_guest)
    return _write(experience, sequence, consumer_id, now, actor)


def _first_open(
    sequences: list[Sequence],
    lacking: Missing,
    codes: dict[str, AccessCode],
    consumer_id: str,
    now: dt.datetime,
) -> Sequence | None:
    """The first that asks for nothing more, or for nothing but the code that is at hand."""
    for sequence in sequences:
        wanted = lacking[sequence.pk]
        if not wanted:
            return sequence
        code = codes.get(sequence.pk)
        if wanted == [Condition.ACCESS_CODE] and code and _redeem(code, consumer_id, now):
            return sequence
    return None


def _still_lacking(lacking: Missing, codes: dict[str, AccessCode]) -> Missing:
    """What is missing beside the code at hand, which is not used up for a sequence that stays closed."""
    good = {pk for pk, code in codes.items() if code.max_uses is None or code.uses < code.max_uses}
    return {
        pk: [condition for condition in wanted if condition != Condition.ACCESS_CODE or pk not in good]
        or wanted
        for pk, wanted in lacking.items()
    }


def _redeem(code: AccessCode, consumer_id: str, now: dt.datetime) -> bool:
    """Use the code up for this consumer, once."""
    if not access_codes.use_up(code, now=now):
        # Unless they did it themselves while we waited for the code's row.
        return Redemption.objects.filter(access_code=code, consumer_id=consumer_id).exists()
    Redemption.objects.create(access_code=code, consumer_id=consumer_id, redeemed_at=now)
    return True


def _write(
    experience: Experience, sequence: Sequence, consumer_id: str, now: dt.datetime, actor: str
) -> Visit:
    visit = Visit.objects.filter(experience=experience, consumer_id=consumer_id, left_at=None).first()
    before = visit.sequence_id if visit else None
    if visit is None:
        visit = Visit.objects.create(
            experience=experience, consumer_id=consumer_id, sequence=sequence, entered_at=now
        )
    elif before == sequence.pk:
        return visit
    else:
        visit.sequence = sequence
        visit.save(update_fields=["sequence"])
    data = {"experience": experience.pk, "from": before, "to": sequence.pk}
    _trace("experience.consumer.entered", experience, consumer_id, data, now, actor)
    return visit


@transaction.atomic(durable=True)
def leave(experience: Experience, consumer_id: str, *, now: dt.datetime, actor: str) -> bool:
    """End the visit; False if there is none. Participations stay as they are, and so do used codes."""
    left = Visit.objects.filter(experience=experience, consumer_id=consumer_id, left_at=None).update(
        left_at=now
    )
    if left:
        data = {"experience": experience.pk}
        _trace("experience.consumer.left", experience, consumer_id, data, now, actor)
    return bool(left)


def _trace(
    name: str,
    experience: Experience,
    consumer_id: str,
    data: Mapping[str, object],
    now: dt.datetime,
    actor: str,
) -> None:
    events.record(name, experience.organization_id, at=now, actor=actor, consumer_id=consumer_id, data=data)
