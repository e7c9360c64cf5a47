"""Messages to consumers, posted as reminders and notices are: within a transaction."""

import datetime as dt
from typing import Any

from django.db import transaction

from consumers import messages, tasks
from consumers.models import Consumer, Message
from fanfare import clock
from tests.world import ConsumerClient

TEXT = "Your appointment is tomorrow at nine."
SMS = "Tomorrow at nine."
DAY = 86_400


def post(who: ConsumerClient | Consumer, reference: str = "reminder:1", **changes: Any) -> bool:
    """Post a notice that is good for a day; whether it was. `lasts` in seconds."""
    consumer = who if isinstance(who, Consumer) else Consumer.objects.get(pk=who.id)
    now = clock.now()
    said: dict[str, Any] = {
        "template": "notice", "subject": "Until tomorrow", "sms": SMS, "context": {"text": TEXT}, "now": now,
        "expires_at": now + dt.timedelta(seconds=changes.pop("lasts", DAY)),
    }  # fmt: skip
    with transaction.atomic():
        return messages.post(consumer, reference, **(said | changes))


def row(reference: str = "reminder:1") -> Message:
    """A message as it is stored now."""
    return Message.objects.get(reference=reference)


def look() -> None:
    """What beat does every two seconds."""
    tasks.find_messages()
