"""Mail through Django's back ends: who it is from, and what happens where none is set."""

from email.utils import formataddr, parseaddr
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from email_validator import validate_email

from fanfare import sealing

if TYPE_CHECKING:
    from collections.abc import Sequence

ORGANIZATION = "X-Fanfare-Organization"  # header: for whom a mail went out


class Nowhere(BaseEmailBackend):
    """Where no mail server is named: whoever sends is told so."""

    def send_messages(self, messages: "Sequence[Any]") -> int:
        raise ImproperlyConfigured("No mail server is set: FANFARE_EMAIL_URL.")


def compose(
    to: str, subject: str, text: str, html: str, *, sender: str, organization_id: str
) -> EmailMultiAlternatives:
    """A mail in both forms, from `sender` (a name) at the installation's address."""
    message = EmailMultiAlternatives(
        one_line(subject),
        text,
        formataddr((one_line(sender), parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        [_in_ascii(to)],
        headers={ORGANIZATION: organization_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(html, "text/html")
    return message


def _in_ascii(address: str) -> str:
    """With the domain as DNS knows it. Django would ask IDNA 2003, for which `straße.de` is `strasse.de`:
    another domain, and maybe somebody else's.
    """
    if address.isascii():
        return address
    found = validate_email(address, allow_smtputf8=False, check_deliverability=False)
    return found.ascii_email or address


def message_id(reference: str) -> str:
    """The Message-ID of what is known by that reference: handed over twice, it is seen to be one mail."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<{sealing.keyed_hash('message-id', reference.encode())[:16].hex()}@{domain}>"


def one_line(text: str) -> str:
    """Without the line breaks that a header can't hold."""
    return " ".join(text.split())
