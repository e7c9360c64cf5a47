"""The development's outbox: mail and SMS are shown in the log and in the console instead of being sent.

Only where `FANFARE_EMAIL_URL` and `FANFARE_SMS_URL` say `outbox:`, as they do by default under `make run`.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import structlog
from django.core.mail.backends.base import BaseEmailBackend

from auth_otp.models import Channel, OutboxMessage
from fanfare import mail

log = structlog.get_logger(__name__)

SUBJECT_SHOWN = 200  # characters; a code before a long name has more


class EmailBackend(BaseEmailBackend):
    """Django's mail back end that keeps what it is given."""

    def send_messages(self, messages: Sequence[Any]) -> int:
        for message in messages:
            _keep(
                Channel.EMAIL,
                message.to[0],
                message.body,
                message.extra_headers.get(mail.ORGANIZATION),
                subject=message.subject,
                html=next((str(content) for content, _ in message.alternatives), ""),
            )
        return len(messages)


def send_sms(to: str, text: str, *, organization_id: str, reference: str) -> None:
    """The SMS back end that keeps what it is given."""
    _keep(Channel.PHONE, to, text, organization_id)


def purge(*, before: dt.datetime) -> None:
    """Forget messages that were shown before then."""
    OutboxMessage.objects.filter(created_at__lt=before).delete()


def _keep(
    channel: Channel, to: str, text: str, organization_id: str | None, *, subject: str = "", html: str = ""
) -> None:
    OutboxMessage.objects.create(
        organization_id=organization_id,
        channel=channel,
        address=to,
        subject=subject[:SUBJECT_SHOWN],
        text=text,
        html=html,
    )
    log.info("outbox.message", channel=str(channel), to=to, subject=subject, text=text)
