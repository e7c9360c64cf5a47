"""What is known of one person, to hand out and to forget.

Erasing leaves the consumer's id, without a name, in the trace and in the line's record: others' places
depend on them, and nobody can tell any more whose they were. Everything that names, reaches or
recognises the person is deleted or emptied.
"""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import BinaryField, Q

from auth_otp.models import OtpAddress, OtpChallenge, OutboxMessage
from consumers import conditions, sessions
from consumers.models import Consumer, ExchangeCode, Identity, Message, Redemption, Session, Visit
from distributions.appointments.models import Booking
from distributions.auctions.models import Bid, Bidder
from distributions.core import lifecycle
from distributions.core.models import LIVE, REASONS, Kind, Participation, Reason, Status
from distributions.kinds import KINDS
from distributions.waitlists.models import Notice
from experiences import audiences, events
from experiences.models import AccessCode, AudienceMember, Event
from fanfare import contacts, redis
from fanfare.wire import camel, iso

MOST_EVENTS = 100_000  # of one person's trace in an export
_KINDS = (audiences.EMAIL, audiences.PHONE, audiences.EXTERNAL)
_HIDDEN = ("organization", "digest")  # the one is the shop's own, the other a hash


@dataclass(frozen=True)
class _Names:
    """By what somebody is known: addresses that they proved, ones that were only said, subjects."""

    proved: set[str]
    said: set[str]
    subjects: set[str]

    @property
    def all(self) -> set[str]:
        return self.proved | self.said | self.subjects


def export(consumer: Consumer) -> dict[str, Any]:
    """Everything that is stored of the person and of the guests they were, ready for JSON.

    Hashes, salts and sealed boxes are left out: they mean nothing to anyone. So is what hangs on an
    address that they never proved: it may be somebody else's.
    """
    people = _people(consumer)
    trace = Event.objects.filter(consumer_id__in=[person.pk for person in people]).order_by("id")
    at = {"organization": consumer.organization_id, "address__in": _names_of(people).proved}
    listed = AudienceMember.objects.filter(
        sequence__experience__organization=consumer.organization_id,
        key__in=conditions.audience_keys(consumer.pk),
    )
    return {
        "consumers": [_row(person) for person in people],
        "identities": _rows(Identity.objects.filter(consumer__in=people)),
        "sessions": _rows(Session.objects.filter(consumer__in=people)),
        "exchangeCodes": _rows(ExchangeCode.objects.filter(consumer__in=people)),
        "visits": _rows(Visit.objects.filter(consumer__in=people)),
        "accessCodesUsed": _rows(Redemption.objects.filter(consumer__in=people)),
        "accessCodesMade": _rows(AccessCode.objects.filter(consumer_id__in=[one.pk for one in people])),
        "audiences": _rows(listed),
        "participations": _rows(Participation.objects.filter(consumer__in=people)),
        "bids": _bids(people),
        "waitlistNotices": _rows(Notice.objects.filter(participation__consumer__in=people)),
        "bookings": _rows(Booking.objects.filter(participation__consumer__in=people)),
        "addresses": _rows(OtpAddress.objects.filter(**at)),
        "messages": _rows(Message.objects.filter(consumer__in=people)),
        "codesSent": _rows(OtpChallenge.objects.filter(**at)),
        "trace": [_row(event) for event in trace[:MOST_EVENTS]],
        "traceIsCut": trace.count() > MOST_EVENTS,
    }


def _bids(people: list[Consumer]) -> list[dict[str, Any]]:
    """Their bids, and what they won for; maxima only when nobody can use them any more."""
    found = []
    for bid in Bid.objects.filter(consumer__in=people).select_related("auction").order_by("at", "pk"):
        row = _row(bid)
        del row["answer"]
        if bid.auction.settled_at is None:
            del row["maxAmount"]
        found.append(row | {"currencyCode": bid.auction.currency_code})
    won = Bidder.objects.filter(participation__consumer__in=people, price__isnull=False)
    paid = dict(won.values_list("participation", "price"))
    return [row | {"price": paid.get(row["participationId"])} for row in found]


def namesakes(consumer: Consumer) -> list[str]:
    """Other consumers of the organization with the same address or subject: perhaps the same person, whom
    only the shop can know. What is theirs too is kept when this one is erased.
    """
    people = _people(consumer)
    names = _names_of(people).all
    others = Consumer.objects.filter(organization=consumer.organization_id, erased_at=None)
    of_subjects = Identity.objects.filter(subject__in=names).values("consumer")
    found = set()
    for rows in (others.filter(Q(email__in=names) | Q(phone__in=names)), others.filter(pk__in=of_subjects)):
        found |= set(rows.values_list("pk", flat=True))  # apart, so that each goes by its index
    return sorted(found - {person.pk for person in people})


def _people(consumer: Consumer) -> list[Consumer]:
    """The consumer, and the guests who turned out to be them."""
    return list(Consumer.objects.filter(Q(pk=consumer.pk) | Q(merged_into=consumer)).order_by("pk"))


def _names_of(people: list[Consumer]) -> _Names:
    proved: set[str] = set()
    said: set[str] = set()
    subjects: set[str] = set()
    for person in people:
        for address, at in (
            (person.email, person.email_verified_at),
            (person.phone, person.phone_verified_at),
        ):
            if address:
                (proved if at else said).add(address)
    for identity in Identity.objects.filter(consumer__in=people):
        is_own = identity.issuer == "" and identity.provider in list(contacts.Channel)
        (proved if is_own else subjects).add(identity.subject)
    return _Names(proved, said, subjects)


def _rows(rows: Any) -> list[dict[str, Any]]:
    return [_row(row) for row in rows.order_by("pk")]


def _row(row: Any) -> dict[str, Any]:
    """A row's columns by their names on the wire, but bytes and what is hidden."""
    found = {}
    for column in row._meta.concrete_fields:
        value = getattr(row, column.attname)
        if column.name not in _HIDDEN and not isinstance(column, BinaryField):
            found[camel(column.attname)] = iso(value) if isinstance(value, dt.datetime) else value
    return found


@transaction.atomic(durable=True)
def erase(consumer: Consumer, *, now: dt.datetime, actor: str, also_claimed: bool = False) -> bool:
    """Forget the person; False if that was done before. Live participations end as if they had left.

    An address that they never proved may be somebody else's, whose list entries and codes hang on it: these
    are deleted only when staff know better (`also_claimed`), and never where another consumer proved it.
    Locks in the order in which signing in does: addresses, then the consumer. No sign-in, merger or entry
    slips in behind.
    """
    person = _locked(consumer.merged_into or consumer)
    people = _people(person)
    is_first = person.erased_at is None
    if is_first:
        _leave_everywhere(people, now, actor)
        for session in Session.objects.filter(consumer__in=people, ended_at=None):
            sessions.end(session, reason="erased", now=now, actor=actor)
        _delete_what_names(person.organization_id, people, also_claimed)
        _empty_what_stays(people, now)
        events.record("consumer.erased", person.organization_id, at=now, actor=actor, consumer_id=person.pk)
    _forget_in_redis(people)  # last, when Redis has heard the rest; again, should it have been away
    return is_first


def _locked(consumer: Consumer) -> Consumer:
    """The consumer, or whom they were merged into a moment ago."""
    names = _names_of(_people(consumer)).all
    addresses = OtpAddress.objects.filter(organization=consumer.organization_id, address__in=names)
    list(addresses.order_by("pk").select_for_update(no_key=True))
    person = Consumer.objects.select_for_update(no_key=True).get(pk=consumer.pk)
    if person.merged_into_id is not None:
        person = Consumer.objects.select_for_update(no_key=True).get(pk=person.merged_into_id)
    return person


def _leave_everywhere(people: list[Consumer], now: dt.datetime, actor: str) -> None:
    """Distribution by distribution, in one order, as all locks on several are taken."""
    live = Participation.objects.filter(consumer__in=people, status__in=LIVE)
    for row in live.select_related("distribution__tally").order_by("distribution_id", "id"):
        with KINDS[Kind(row.distribution.kind)].rules.adjusting(row.distribution):
            _leave(row, now, actor)


def _leave(row: Participation, now: dt.datetime, actor: str) -> None:
    if row.status == Status.ADMITTED and row.expires_at is not None and row.expires_at <= now:
        lifecycle.expire(row.distribution, [row.pk], now=now)
    elif row.distribution.kind in (Kind.DRAW, Kind.AUCTION):
        # A draw's proof tells whom staff removed from who went by themselves; nobody leaves an auction.
        reason = Reason.ADMIN_ACTION
        lifecycle.deny_all(row.distribution, [row.pk], reason=reason, now=now, actor=actor)
    else:
        lifecycle.leave_all(row.distribution, [row.pk], now=now, actor=actor)


def _delete_what_names(organization_id: str, people: list[Consumer], also_claimed: bool) -> None:
    """What another consumer is known by as well stays theirs."""
    names = _names_of(people)
    known = names.all if also_claimed else names.proved | names.subjects
    words = known - _of_others(organization_id, people, known)
    lists = AudienceMember.objects.filter(sequence__experience__organization=organization_id)
    lists.filter(key__in=_audience_keys(words)).delete()
    for model in (OtpChallenge, OtpAddress, OutboxMessage):
        model.objects.filter(organization=organization_id, address__in=words).delete()
    for of_person in (Identity, ExchangeCode, Message, Redemption):
        of_person.objects.filter(consumer__in=people).delete()


def _of_others(organization_id: str, people: list[Consumer], words: set[str]) -> set[str]:
    """Those of the words that name somebody else for certain: an identity, or an address they proved."""
    identities = Identity.objects.filter(organization=organization_id, subject__in=words)
    found = set(identities.exclude(consumer__in=people).values_list("subject", flat=True))
    others = Consumer.objects.filter(organization=organization_id).exclude(pk__in=[one.pk for one in people])
    for column in ("email", "phone"):
        proved = others.filter(**{f"{column}__in": words, f"{column}_verified_at__isnull": False})
        found |= set(proved.values_list(column, flat=True))
    return found


def _audience_keys(words: set[str]) -> set[str]:
    """By what a list may name them, whichever kind its maker took the word for."""
    keys = {f"{kind}:{word}" for kind in _KINDS for word in words}
    for word in words:
        with suppress(ValueError):
            keys.add(audiences.key(audiences.guess(word), word))
    return keys


def _empty_what_stays(people: list[Consumer], now: dt.datetime) -> None:
    Visit.objects.filter(consumer__in=people, left_at=None).update(left_at=now)
    rows = Participation.objects.filter(consumer__in=people)
    rows.update(fingerprint=None, metadata=None, order_id="")
    rows.exclude(deny_reason__in=REASONS).update(deny_reason="")
    theirs = AccessCode.objects.filter(consumer_id__in=[each.pk for each in people], revoked_at=None)
    theirs.update(revoked_at=now)
    Booking.objects.filter(participation__consumer__in=people).update(reason="")
    Bid.objects.filter(consumer__in=people).update(void_reason="", idempotency_key=None, answer=None)
    Consumer.objects.filter(pk__in=[each.pk for each in people]).update(
        email=None,
        phone=None,
        full_name="",
        email_verified_at=None,
        phone_verified_at=None,
        erased_at=now,
    )


def _forget_in_redis(people: list[Consumer]) -> None:
    """After the commit: a standing in Redis holds the shop's own words."""
    ids = [person.pk for person in people]
    entered = Participation.objects.filter(consumer__in=people).values_list("distribution_id", flat=True)
    keys = [redis.standings(distribution_id) for distribution_id in set(entered)]

    def forget() -> None:
        for key in keys:
            redis.client().hdel(key, *ids)

    transaction.on_commit(lambda: redis.attempt("erase", forget))
