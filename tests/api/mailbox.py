"""One-time codes as their owner meets them: ask, read what came by mail or SMS, sign in.

Mail goes to Django's own test outbox, SMS to our outbox of shown messages (see `tests.conftest`).
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from auth_otp.models import OtpChallenge, OutboxMessage
from fanfare import clock
from tests.world import ApiClient, World

ADA = "ada@example.com"
PHONE = "+4915123456789"
REQUEST, VERIFY = "/auth/otp/request", "/auth/otp/verify"
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


class Failing(BaseEmailBackend):
    """A mail server that takes nothing."""

    def send_messages(self, messages: Sequence[Any]) -> int:
        raise ConnectionRefusedError("The mail server is away.")


FAILING = f"{__name__}.Failing"


def field(address: str) -> dict[str, str]:
    """The body's field for an address: `email` or `phone`."""
    return {"email" if "@" in address else "phone": address}


def browser(world: World, network_address: str = "203.0.113.1") -> ApiClient:
    """A browser that asks from there."""
    front = world.shop_front()
    front.client.defaults["REMOTE_ADDR"] = network_address
    return front


def ask(world: World, address: str = ADA, *, by: ApiClient | None = None, **more: Any) -> Any:
    """Ask for a code; the answer."""
    return (by or world.shop_front()).post(REQUEST, {**field(address), **more})


def verify(world: World, code: str, address: str = ADA, *, by: ApiClient | None = None, **more: Any) -> Any:
    """Sign in with a code; the answer."""
    return (by or world.shop_front()).post(VERIFY, {**field(address), "code": code, **more})


def mails(address: str = ADA) -> list[EmailMultiAlternatives]:
    """What came by mail, the first one first."""
    return [one for one in mail.outbox if one.to == [address] and isinstance(one, EmailMultiAlternatives)]


def messages(address: str = PHONE) -> list[str]:
    """The texts that came by SMS, the first one first."""
    return list(OutboxMessage.objects.filter(address=address).order_by("id").values_list("text", flat=True))


def last_code(address: str = ADA) -> str:
    """The code that came last."""
    text = str(mails(address)[-1].body) if "@" in address else messages(address)[-1]
    code: str = _CODE.findall(text)[0]
    return code


def get_code(world: World, address: str = ADA, **more: Any) -> str:
    """Ask for a code and read it."""
    answer = ask(world, address, **more)
    assert answer.status_code == 200, answer.content
    return last_code(address)


def wrong(code: str, number: int = 1) -> str:
    """Another code: the `number`-th one after it."""
    assert 0 < number < 1_000_000
    return f"{(int(code) + number) % 1_000_000:06}"


def html_of(message: EmailMultiAlternatives) -> str:
    """The mail's HTML form."""
    (found,) = [str(content) for content, kind in message.alternatives if kind == "text/html"]
    return found


def last_challenge(address: str = ADA) -> OtpChallenge:
    """The row of the newest code."""
    return OtpChallenge.objects.filter(address=address).latest("id")


def failures(address: str = ADA) -> int:
    """How many wrong codes count for the address at the moment."""
    counting = OtpChallenge.objects.filter(address=address, expires_at__gt=clock.now() - dt.timedelta(days=1))
    return sum(counting.values_list("attempts", flat=True))
