"""Telling those who wait: once each, in the order of their places, some hundred a transaction.

How far it has come (`reached`) moves in the transaction that tells them, under the notification's row lock;
so it may stop anywhere, and two workers at once tell nobody twice. Its codes stand nowhere but sealed in the
messages.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import F, Func, Q, QuerySet, TextField, Value

from consumers import messages
from distributions.core import catalog
from distributions.core.models import Distribution, Participation, Status, Tally
from distributions.waitlists.models import Mode, Notice, Notification, Outcome
from experiences import access_codes, events, setup
from experiences.models import AccessCode, Sequence
from fanfare import sealing

AT_ONCE = 500  # entries of one transaction
MESSAGE_LASTS = dt.timedelta(days=1)  # news that could not be sent by then are none
MOST_TOKEN = 400  # characters
_Codes = dict[str, tuple[AccessCode, str]]


@transaction.atomic
def announce(
    distribution: Distribution,
    text: str,
    *,
    now: dt.datetime,
    actor: str,
    limit: int | None = None,
    metadata_name: str = "",
    metadata_value: str = "",
    sequence: Sequence | None = None,
    code_seconds: int | None = None,
) -> Notification:
    """Decide to tell those who wait now; `run` does. Raises ValidationError, by the names of the arguments.

    With a sequence each gets a code of their own for it, and from now on the sequence asks for one. Codes for
    what the waitlist offers are offers, whoever makes them: they hold a place, and pass on.
    """
    problems = {}
    if metadata_value and not metadata_name:
        problems["metadata_name"] = "The name whose value that is."
    if sequence is not None and code_seconds is None:
        problems["code_seconds"] = "Codes need an end."
    if sequence is not None and sequence.experience_id != distribution.sequence.experience_id:
        problems["sequence"] = "It must be a sequence of the same experience."
    if problems:
        raise ValidationError(problems)
    if sequence is not None:
        setup.update(sequence, {"requires_access_code": True}, now=now, actor=actor)
        transaction.on_commit(catalog.forget)
    waitlist = distribution.waitlist
    is_offer = waitlist.mode == Mode.OFFER and sequence is not None and sequence == waitlist.offer_sequence
    return Notification.objects.create(
        distribution=distribution, text=text, limit=limit, metadata_name=metadata_name,
        metadata_value=metadata_value, sequence=sequence, is_offer=is_offer, created_at=now, actor=actor,
        code_seconds=None if sequence is None else code_seconds,
        through=Tally.objects.values_list("entered", flat=True).get(pk=distribution.pk),
    )  # fmt: skip


def unfinished() -> list[int]:
    """Notifications of which somebody is still to be told."""
    return list(Notification.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True))


def run(notification_id: int, *, at: Callable[[], dt.datetime]) -> int:
    """Tell whoever is still to be told; how many were. Quietly none while another worker is at it. `at` says
    what time it is by each transaction: there may be many.
    """
    told = 0
    while True:
        with transaction.atomic(durable=True):
            number = step(notification_id, now=at())
        if number is None:
            return told
        told += number


def step(notification_id: int, *, now: dt.datetime) -> int | None:
    """Tell the next of them, in the caller's transaction; how many. None: it is done, or another worker is
    at it.
    """
    rows = Notification.objects.filter(pk=notification_id, finished_at=None)
    found = rows.select_for_update(no_key=True, skip_locked=True).first()
    if found is None:
        return None
    related = ("organization", "sequence__experience")
    found.distribution = Distribution.objects.select_related(*related).get(pk=found.distribution_id)
    meant = list(_meant(found).select_related("consumer")[: _at_most(found)])
    if meant:
        _tell(found, meant, now)
        found.reached = meant[-1].place or found.reached
        found.notified += len(meant)
    if not meant or found.notified == found.limit:
        found.finished_at = now
    found.save(update_fields=["reached", "notified", "finished_at"])
    return len(meant)


def _at_most(notification: Notification) -> int:
    left = AT_ONCE if notification.limit is None else notification.limit - notification.notified
    return min(AT_ONCE, left)


def _meant(notification: Notification) -> QuerySet[Participation]:
    """Who is still to be told, in order. A code is only for who can be sent one; of a limited number are
    those who were told nothing yet, and of an offer those who have none.
    """
    rows = Participation.objects.filter(
        distribution_id=notification.distribution_id,
        status=Status.QUEUED,
        place__gt=notification.reached,
        place__lte=notification.through,
    )
    if notification.metadata_name:
        name, to_text = Value(notification.metadata_name), "jsonb_extract_path_text"
        said = Func(F("metadata"), name, function=to_text, output_field=TextField())
        rows = rows.alias(said=said).filter(said=notification.metadata_value)
    if notification.code_seconds is not None:
        rows = rows.filter(can_be_reached())
    if notification.is_offer:
        rows = rows.exclude(notices__outcome=Outcome.OPEN)
    elif notification.limit is not None:
        rows = rows.filter(notices=None)
    return rows.order_by("place")


def can_be_reached() -> Q:
    """Participations of consumers with an address."""
    return Q(consumer__email__isnull=False) | Q(consumer__phone__isnull=False)


def _tell(notification: Notification, meant: list[Participation], now: dt.datetime) -> None:
    """Write notices, codes, traces and messages, in the caller's transaction."""
    lasts, codes = notification.code_seconds, _make_codes(notification, meant, now)
    expires_at = now + dt.timedelta(seconds=lasts) if codes and lasts else None
    notices = Notice.objects.bulk_create(
        Notice(
            notification=notification,
            participation=row,
            created_at=now,
            access_code=codes[row.consumer_id][0] if codes else None,
            expires_at=expires_at,
            outcome=Outcome.OPEN if notification.is_offer else "",
        )
        for row in meant
    )
    for notice in notices:
        consumer_id = notice.participation.consumer_id
        events.record(
            "waitlist.consumer.notified",
            notification.distribution.organization_id,
            at=now,
            actor=notification.actor,
            distribution_id=notification.distribution_id,
            consumer_id=consumer_id,
            data={"notification": notification.pk, **({"expiresAt": str(expires_at)} if codes else {})},
        )
        _post(notification, notice, codes[consumer_id][1] if codes else "", now)


def _make_codes(notification: Notification, meant: list[Participation], now: dt.datetime) -> _Codes:
    if notification.sequence is None or notification.code_seconds is None:
        return {}
    return access_codes.make_personal(
        notification.sequence,
        [row.consumer_id for row in meant],
        now=now,
        expires_at=now + dt.timedelta(seconds=notification.code_seconds),
        label=f"Waitlist {notification.distribution}"[:100],
    )


def _post(notification: Notification, notice: Notice, code: str, now: dt.datetime) -> None:
    """The message of one notice; nothing for who has no address: their page tells them."""
    distribution, consumer = notification.distribution, notice.participation.consumer
    stop = unsubscribe_url(distribution.pk, consumer.pk)
    until = _in_words(distribution, notice.expires_at) if notice.expires_at else ""
    text = notification.text
    if code:
        text += f"\n\nYour code is for you alone. It works once, until {until}."
    context: dict[str, Any] = {"text": text, "code": code}
    messages.post(
        consumer,
        f"notice:{notice.pk}",
        template="notice",
        subject=f"{distribution.sequence.experience.name}: {distribution.name}"[:200],
        sms="\n".join(filter(None, [text, code, f"No more of this: {stop}"])),
        context=context,
        now=now,
        expires_at=notice.expires_at or now + MESSAGE_LASTS,
        unsubscribe_url=stop,
    )


def _in_words(distribution: Distribution, at: dt.datetime) -> str:
    """A time as people read it, where the waitlist is."""
    return f"{at.astimezone(ZoneInfo(distribution.zone)):%-d %B %Y, %H:%M} ({distribution.zone})"


def unsubscribe_url(distribution_id: str, consumer_id: str) -> str:
    """Where this consumer, and whoever has the link, ends their waiting; it is good for ever."""
    token = _signer().sign_object([distribution_id, consumer_id])
    return f"{settings.PUBLIC_URL}/unsubscribe/{token}"


def read_token(token: str) -> tuple[str, str] | None:
    """The ids of waitlist and consumer in a link of ours; None for any other."""
    if len(token) > MOST_TOKEN:
        return None
    try:
        distribution_id, consumer_id = _signer().unsign_object(token)
    except BadSignature:
        return None
    return str(distribution_id), str(consumer_id)


def _signer() -> Signer:
    return Signer(key=sealing.derived_key("unsubscribe").hex(), salt="unsubscribe")
