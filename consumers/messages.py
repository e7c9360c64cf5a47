"""Messages to consumers, such as reminders: by mail, else by SMS, once each, in the organization's look.

No row holds an address: it is read when the message is sent, so that whoever was erased gets nothing. How
each goes out once, and is tried again, is `outgoing`'s.
"""

import datetime as dt
import json
from typing import Any

from django.db import connection
from django.db.models import Q

from consumers.models import Consumer, Message
from experiences import letters
from fanfare import mail, outgoing, sealing, sms
from fanfare.outgoing import Channel

PURPOSE = "message"
_POST = """
INSERT INTO consumers_message (organization_id, consumer_id, channel, reference, box, created_at, expires_at,
    tries, problem)
VALUES (%s, %s, %s, %s, %s, %s, %s, 0, '') ON CONFLICT (reference) DO NOTHING
"""


def post(
    consumer: Consumer,
    reference: str,
    *,
    template: str,
    subject: str,
    sms: str,
    context: dict[str, Any],
    now: dt.datetime,
    expires_at: dt.datetime,
    unsubscribe_url: str = "",
) -> bool:
    """Have a message sent once the caller's transaction commits; False where the consumer can't be reached,
    or what has this reference was posted before.

    As a mail from `mail/<template>` with `context` (JSON, without names that `letters.write` gives itself),
    or as an SMS that says `sms`. With `unsubscribe_url` the mail can be unsubscribed from by one click, by
    POST (RFC 8058). The reference is remembered until the row is purged: `settings.CODES_KEPT_SECONDS` after
    sending or `expires_at`. Whoever posts several in one transaction does it in one order, since two that
    post the same one wait for each other.
    """
    channel = _channel(consumer)
    if channel is None:
        return False
    if unsubscribe_url:
        context = {**context, "unsubscribe_url": unsubscribe_url}
    content = json.dumps({"template": template, "subject": subject, "sms": sms, "context": context})
    box = sealing.seal(PURPOSE, content.encode())
    with connection.cursor() as cursor:
        cursor.execute(
            _POST, [consumer.organization_id, consumer.pk, channel, reference, box, now, expires_at]
        )
        return bool(cursor.rowcount)


def _channel(consumer: Consumer) -> Channel | None:
    """By which they are reached: an address that they proved, before one that was only said; mail first."""
    proved = [(Channel.EMAIL, consumer.email_verified_at), (Channel.PHONE, consumer.phone_verified_at)]
    known = {Channel.EMAIL: consumer.email, Channel.PHONE: consumer.phone}
    ranked = [channel for channel, at in proved if at is not None] + list(known)
    return next((channel for channel in ranked if known[channel]), None)


def due(now: dt.datetime, at_most: int) -> list[int]:
    """Messages that nobody has sent, or begun to send lately."""
    return outgoing.due(Message.objects.all(), now, at_most)


def send(message_id: int, *, now: dt.datetime) -> bool:
    """Send one message, unless somebody else has or does; whether it went out."""
    rows = Message.objects.select_related("organization", "consumer")
    return outgoing.send(rows, message_id, _hand_over, purpose=PURPOSE, now=now)


def _hand_over(message: Message, content: str, now: dt.datetime) -> None:
    said, address, reference = json.loads(content), message.address, message.reference
    if not address:
        raise outgoing.Undeliverable("There is no such address any more.")
    organization = message.organization
    if message.channel == Channel.PHONE:
        sms.send(address, said["sms"], organization_id=organization.pk, reference=reference)
        return
    context = said["context"]
    letter = letters.write(organization, said["template"], address, said["subject"], **context)
    letter.extra_headers["Message-ID"] = mail.message_id(reference)
    if url := context.get("unsubscribe_url"):
        letter.extra_headers["List-Unsubscribe"] = f"<{url}>"
        letter.extra_headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter.send()


def purge(*, now: dt.datetime, before: dt.datetime, at_most: int) -> int:
    """Delete messages that were sent or expired before then; how many. What was never sent and is over by now
    can't be read any more.
    """
    outgoing.empty_expired(Message.objects.all(), now=now)
    over = Message.objects.filter(Q(sent_at__lt=before) | Q(expires_at__lt=before)).values("pk")[:at_most]
    return Message.objects.filter(pk__in=over).delete()[0]
