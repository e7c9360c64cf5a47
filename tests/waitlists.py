"""Makers and readers for tests of waitlists: who waits, news, offers, and what was sent."""

import re
from typing import Any

from django.core import mail

from consumers.models import Message
from consumers.tasks import send_messages
from distributions import tasks
from distributions.core.models import Distribution
from distributions.waitlists import notifying
from distributions.waitlists.models import Notice, Notification
from experiences.models import Event
from fanfare import clock
from tests.world import ConsumerClient, World, make_waitlist, path_of

STAFF = "staff:1"
_CODE = re.compile(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{2}\b")
_LINK = re.compile(r"http\S+(/unsubscribe/\S+)")


def wait(waitlist: Distribution, *people: ConsumerClient, **metadata: Any) -> None:
    """They are on the list, in this order."""
    for one in people:
        answer = one.post(f"{path_of(waitlist)}/enter", {"metadata": metadata} if metadata else {})
        assert (answer.status_code, answer.json().get("isEntered")) == (200, True), answer.json()


def members(world: World, *names: str) -> list[ConsumerClient]:
    """People whom the shop knows by a mail address."""
    return [world.member(f"{name}@example.com") for name in names]


def news(waitlist: Distribution, text: str = "There is news.", **more: Any) -> Notification:
    """Staff tell those who wait, and the worker has done it."""
    made = notifying.announce(waitlist, text, now=clock.now(), actor=STAFF, **more)
    tasks.notify(made.pk)
    made.refresh_from_db()
    return made


def offering(world: World, *, seconds: int = 600, **settings: Any) -> tuple[Distribution, Any]:
    """A waitlist, and the sequence whose free places it offers."""
    way = world.sequence_with("second-chance", requires_access_code=True)
    more: dict[str, Any] = {
        "mode": "offer",
        "offer_sequence": way,
        "offer_seconds": seconds,
        "supports_guest": False,
    }
    return make_waitlist(world.sequence, **(more | settings)), way


def told(waitlist: Distribution) -> list[str]:
    """Who was told something, in order, as often as they were."""
    rows = Notice.objects.filter(notification__distribution=waitlist).order_by("id")
    return list(rows.values_list("participation__consumer", flat=True))


def outcomes(waitlist: Distribution) -> list[str]:
    """What became of each offer, in order."""
    rows = Notice.objects.filter(notification__distribution=waitlist).order_by("id")
    return list(rows.values_list("outcome", flat=True))


def send_all() -> None:
    """The workers send what was posted."""
    send_messages(list(Message.objects.filter(sent_at=None).order_by("pk").values_list("pk", flat=True)))


def mails(name: str) -> list[Any]:
    """What came to `name@example.com`, the first one first."""
    return [one for one in mail.outbox if one.to == [f"{name}@example.com"]]


def code_for(name: str) -> str:
    """The code in their last mail."""
    send_all()
    return str(_CODE.findall(mails(name)[-1].body)[0])


def link_for(name: str) -> str:
    """The path of the link in their last mail by which it is unsubscribed from."""
    send_all()
    return str(_LINK.findall(mails(name)[-1].body)[0])


def come_in(world: World, who: ConsumerClient, code: str) -> Any:
    """Enter the experience with a code; the answer."""
    return who.post(f"/experiences/{world.sequence.experience_id}/enter", {"accessCode": code})


def trace(waitlist: Distribution, consumer_id: str) -> list[tuple[str, str]]:
    """What the trace tells of somebody, and by whom."""
    rows = Event.objects.filter(distribution_id=waitlist.pk, consumer_id=consumer_id).order_by("id")
    return [(name.removeprefix("waitlist.consumer."), by) for name, by in rows.values_list("name", "actor")]
