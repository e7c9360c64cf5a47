"""What is known of one person, to hand out and to forget.

Erasing leaves the consumer's id, without a name, in the trace and in the line's record: others' places
depend on them, and nobody can tell any more whose they were. Everything that names, reaches or
recognises the person is deleted or emptied.
"""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Q

from auth_otp.models import OtpAddress, OtpChallenge, OutboxMessage
from consumers import conditions, sessions
from consumers.models import Consumer, ExchangeCode, Identity, Redemption, Session, Visit
from distributions.core import lifecycle
from distributions.core.models import LIVE, Participation, Status
from experiences import events
from experiences.models import AudienceMember, Event
from fanfare.wire import camel, iso

MOST_EVENTS = 100_000  # of one person's trace in an export


def export(consumer: Consumer) -> dict[str, Any]:
    """Everything that is stored of the person and of the guests they were, ready for JSON.

    Hashes, salts and sealed boxes are left out: they mean nothing to anyone.
    """
    people = _people(consumer)
    events_of = Event.objects.filter(consumer_id__in=[person.pk for person in people]).order_by("id")
    addresses = [address for address in (consumer.email, consumer.phone) if address]
    codes = OtpChallenge.objects.filter(
        organization_id=consumer.organization_id, address__in=addresses
    ).order_by("id")
    return {
        "consumers": [_row(person, without="organization") for person in people],
        "identities": _rows(Identity.objects.filter(consumer__in=people)),
        "sessions": _rows(Session.objects.filter(consumer__in=people)),
        "visits": _rows(Visit.objects.filter(consumer__in=people)),
        "accessCodesUsed": _rows(Redemption.objects.filter(consumer__in=people)),
        "audiences": _rows(_memberships(consumer)),
        "participations": _rows(Participation.objects.filter(consumer__in=people).order_by("id")),
        "codesSent": _rows(codes),
        "trace": _rows(events_of[:MOST_EVENTS]),
    }


def _people(consumer: Consumer) -> list[Consumer]:
    """The consumer, and the guests who turned out to be them."""
    return list(Consumer.objects.filter(Q(pk=consumer.pk) | Q(merged_into=consumer)).order_by("pk"))


def _memberships(consumer: Consumer) -> Any:
    """Their entries on lists of the organization."""
    return AudienceMember.objects.filter(
        sequence__experience__organization=consumer.organization_id,
        key__in=conditions.audience_keys(consumer.pk),
    )


def _rows(rows: Any) -> list[dict[str, Any]]:
    return [_row(row) for row in rows]


def _row(row: Any, *, without: str = "") -> dict[str, Any]:
    """A row's columns by their names on the wire, but bytes."""
    found = {}
    for column in row._meta.concrete_fields:
        value = getattr(row, column.attname)
        if column.name != without and not isinstance(value, bytes | memoryview):
            found[camel(column.attname)] = iso(value) if isinstance(value, dt.datetime) else value
    return found


@transaction.atomic(durable=True)
def erase(consumer: Consumer, *, now: dt.datetime, actor: str) -> bool:
    """Forget the person; False if that was done before. Live participations end as if they had left.

    Locks the consumer first, as `merging` does: no entry slips in behind.
    """
    person = Consumer.objects.select_for_update(no_key=True).get(pk=consumer.pk)
    if person.erased_at is not None:
        return False
    people = _people(person)
    _leave_everywhere(people, now, actor)
    for session in Session.objects.filter(consumer__in=people, ended_at=None):
        sessions.end(session, reason="erased", now=now, actor=actor)
    _delete_what_names(person, people)
    Participation.objects.filter(consumer__in=people).update(fingerprint=None, metadata=None, order_id="")
    Consumer.objects.filter(pk__in=[each.pk for each in people]).update(
        email=None,
        phone=None,
        full_name="",
        email_verified_at=None,
        phone_verified_at=None,
        erased_at=now,
    )
    events.record("consumer.erased", person.organization_id, at=now, actor=actor, consumer_id=person.pk)
    return True


def _leave_everywhere(people: list[Consumer], now: dt.datetime, actor: str) -> None:
    """Distribution by distribution, in one order, as all locks on several are taken."""
    live = Participation.objects.filter(consumer__in=people, status__in=LIVE)
    for row in live.select_related("distribution__tally").order_by("distribution_id", "id"):
        if row.status == Status.ADMITTED and row.expires_at is not None and row.expires_at <= now:
            lifecycle.expire(row.distribution, [row.pk], now=now)
        else:
            lifecycle.leave_all(row.distribution, [row.pk], now=now, actor=actor)


def _delete_what_names(person: Consumer, people: list[Consumer]) -> None:
    _memberships(person).delete()
    proved = Identity.objects.filter(consumer__in=people, issuer="").values_list("subject", flat=True)
    addresses = {*proved, *(address for address in (person.email, person.phone) if address)}
    for model in (OtpChallenge, OtpAddress, OutboxMessage):
        model.objects.filter(organization=person.organization_id, address__in=addresses).delete()
    Identity.objects.filter(consumer__in=people).delete()
    ExchangeCode.objects.filter(consumer__in=people).delete()
