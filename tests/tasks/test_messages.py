"""Messages on their way to consumers: once each, to where they are reached when it is sent."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from consumers import messages, tasks
from consumers.models import Consumer, Message
from fanfare import clock as time
from fanfare import providers
from fanfare.celery import app
from tests.api.mailbox import ADA, FAILING, PHONE, html_of, mails
from tests.api.mailbox import messages as texts
from tests.concurrency.race import race
from tests.notices import DAY, SMS, TEXT, look, post, row
from tests.traces import tables_with
from tests.world import World

LINK = "https://shop.example.com/stop?token=" + "a1b2c3d4," * 30 + "&x=1"
BOTH = {"email": ADA, "phone": PHONE}


def written(number: int = 0) -> Any:
    """A mail as it goes over the wire, read back."""
    return mails()[number].message()


# --- To whom, and how -----------------------------------------------------------------------------
def test_a_mail_in_the_shops_look(world: World, clock: Any) -> None:
    world.organization.theme = {"primaryColor": "#ff0055"}
    world.organization.save()
    said = {
        "text": "Tea & <b>cake</b>\n\nat nine", "link_url": "https://shop.example.com/?a=1&b=2",
        "link_text": "Come in", "code": "KLMN2345",
    }  # fmt: skip
    assert post(world.member(ADA), context=said)
    look()
    (letter,) = mails()
    assert letter.subject == "Until tomorrow"
    assert str(letter.body).startswith(f"{world.organization.name}\n\nTea & <b>cake</b>\n\nat nine\n")
    for expected in ("KLMN2345", "Come in: https://shop.example.com/?a=1&b=2"):
        assert expected in letter.body
    html = html_of(letter)
    for expected in (
        "<p>Tea &amp; &lt;b&gt;cake&lt;/b&gt;</p>", "<p>at nine</p>", ">KLMN2345<", ">Come in</a>", "#ff0055",
        'href="https://shop.example.com/?a=1&amp;b=2"',
    ):  # fmt: skip
        assert expected in html
    assert "No more" not in letter.body + html
    assert written()["List-Unsubscribe"] is None


def test_what_is_not_given_is_not_shown(world: World, clock: Any) -> None:
    post(world.member(ADA))
    look()
    (letter,) = mails()
    assert str(letter.body).split("\n\n") == [world.organization.name, TEXT, ""]
    assert "<a " not in html_of(letter)


def test_an_sms_is_named_by_its_reference(world: World, clock: Any, tmp_path: Path) -> None:
    post(world.member(phone=PHONE), "reminder:booking_1:24")
    with override_settings(**providers.sms(f"file:{tmp_path}")):
        look()
    (found,) = tmp_path.iterdir()
    assert found.name == "reminder:booking_1:24.json"
    told = {"to": PHONE, "text": SMS, "organization": world.organization.pk}
    assert json.loads(found.read_text()) == told
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("claims", "channel"),
    [
        ({**BOTH, "email_verified": True, "phoneVerified": True}, "email"),
        ({**BOTH, "email_verified": False, "phoneVerified": True}, "phone"),
        ({**BOTH, "email_verified": False, "phoneVerified": False}, "email"),
        ({"phone": PHONE, "phoneVerified": False}, "phone"),
    ],
)
def test_a_verified_address_comes_first(
    world: World, clock: Any, claims: dict[str, Any], channel: str
) -> None:
    assert post(world.member(**claims))
    assert row().channel == channel
    look()
    assert (len(mails()), texts()) == ((1, []) if channel == "email" else (0, [SMS]))


def test_a_guest_has_no_address(world: World, clock: Any) -> None:
    assert post(world.consumer()) is False
    assert not Message.objects.exists()


def test_it_goes_to_the_address_that_they_have_by_then(world: World, clock: Any) -> None:
    ada = world.member(ADA)
    post(ada)
    Consumer.objects.filter(pk=ada.id).update(email="countess@example.com")
    look()
    assert (len(mails()), len(mails("countess@example.com"))) == (0, 1)


# --- Once -----------------------------------------------------------------------------------------
def test_what_is_posted_twice_is_there_once(world: World, clock: Any, django_assert_num_queries: Any) -> None:
    ada = Consumer.objects.get(pk=world.member(ADA).id)
    with transaction.atomic(), django_assert_num_queries(3):  # two are a savepoint of `post`'s here
        assert post(ada)
    assert post(ada, context={"text": "other"}) is False
    assert post(ada, "reminder:2")
    look()
    assert [TEXT in str(letter.body) for letter in mails()] == [True, True]
    assert post(ada) is False  # nor after it was sent
    look()
    assert len(mails()) == 2


def test_posted_by_many_at_once(world: World, clock: Any) -> None:
    ada = world.member(ADA)
    assert race(12, lambda _: post(ada)).all().count(True) == 1
    look()
    assert len(mails()) == 1


def test_nothing_is_sent_of_what_is_taken_back(world: World, clock: Any) -> None:
    ada = world.member(ADA)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert post(ada)
        raise ZeroDivisionError
    look()
    assert mail.outbox == []
    assert post(ada)


def test_many_workers_send_it_once(world: World, clock: Any) -> None:
    ada = world.member(ADA)
    for number in range(3):
        post(ada, f"reminder:{number}")
    ids = list(Message.objects.values_list("pk", flat=True))
    race(12, lambda index: look() if index % 2 else tasks.send_messages(ids)).all()
    assert len(mails()) == 3
    assert {(one.tries, one.sent_at) for one in Message.objects.all()} == {(1, time.now())}


def test_the_box_is_empty_afterwards_and_nothing_is_said_in_the_clear(world: World, clock: Any) -> None:
    post(world.member(ADA), context={"text": "a needle"}, sms="a needle", subject="a needle")
    assert row().box is not None
    assert tables_with("needle") == set()
    assert "consumers_message" not in tables_with(ADA)
    look()
    sent = row()
    assert (sent.box, sent.sent_at, sent.problem, sent.tries) == (None, time.now(), "", 1)
    assert len(mails()) == 1


@pytest.mark.parametrize("key", [0, -1, 2**62])
def test_of_a_message_that_is_not_there(world: World, key: int) -> None:
    tasks.send_messages([key])
    assert mail.outbox == []


# --- Headers --------------------------------------------------------------------------------------
def test_a_mail_handed_over_twice_is_known_as_one(world: World, clock: Any) -> None:
    """A worker that dies between handing over and noting it: whoever takes over says the same Message-ID."""
    ada = world.member(ADA)
    post(ada)
    box = row().box
    with override_settings(DEFAULT_FROM_EMAIL="Fanfare <news@fanfare.example>"):
        look()
        Message.objects.update(box=box, sent_at=None)
        clock.shift(30)
        look()
        post(ada, "reminder:2")
        look()
    first, again, other = (written(number)["Message-ID"] for number in range(3))
    assert first == again != other
    assert first.startswith("<") and first.endswith("@fanfare.example>")
    assert "reminder" not in first


def test_unsubscribing_by_one_click(world: World, clock: Any) -> None:
    post(world.member(ADA), unsubscribe_url=LINK)
    look()
    letter = written()
    assert letter["List-Unsubscribe"] == f"<{LINK}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f" <{LINK}>\n".encode() in letter.as_bytes()  # in one piece, however long
    assert f"No more of these messages: {LINK}\n" in mails()[0].body
    assert LINK.replace("&", "&amp;") in html_of(mails()[0])


# --- Failures -------------------------------------------------------------------------------------
def test_a_provider_that_fails_is_tried_again(world: World, clock: Any) -> None:
    post(world.member(ADA))
    with override_settings(EMAIL_BACKEND=FAILING):
        look()
    failed = row()
    assert failed.problem == "ConnectionRefusedError: The mail server is away."
    assert (failed.tries, failed.sent_at, failed.box is None) == (1, None, False)
    clock.shift(29.999)
    look()
    assert mail.outbox == []
    clock.shift(0.001)
    look()
    assert (row().problem, row().tries, row().sent_at) == ("", 2, time.now())
    assert len(mails()) == 1


def test_one_that_fails_does_not_hold_up_the_others(world: World, clock: Any) -> None:
    post(world.member(phone=PHONE))
    post(world.member(ADA), "reminder:2")
    with override_settings(SMS_BACKEND="fanfare.sms.to_nowhere"):
        look()
    assert row().problem == "ImproperlyConfigured: No SMS gateway is set: FANFARE_SMS_URL."
    assert len(mails()) == 1


def test_a_header_that_can_not_be_written(world: World, clock: Any) -> None:
    post(world.member(ADA), unsubscribe_url="https://shop.example.com/\nBcc: victim@example.com")
    look()
    assert mail.outbox == []
    assert row().problem.startswith("BadHeaderError")


def test_what_expired_is_not_sent(world: World, clock: Any) -> None:
    ada = world.member(ADA)
    post(ada, lasts=60)
    post(ada, "reminder:2", lasts=61)
    clock.shift(60)
    look()
    tasks.send_messages([row().pk])
    assert (len(mails()), row().tries) == (1, 0)
    tasks.purge_sessions()
    assert (row().box, row().sent_at) == (None, None)


# --- Who was erased -------------------------------------------------------------------------------
def erase(consumer_id: str) -> None:
    call_command("consumers", "erase", consumer_id, "--yes", stdout=io.StringIO())


def test_erased_before_it_is_sent(world: World, clock: Any) -> None:
    ada, bob = world.member(ADA), world.member("bob@example.com")
    post(ada)
    post(bob, "reminder:2")
    ids = list(Message.objects.values_list("pk", flat=True))
    erase(ada.id)
    tasks.send_messages(ids)
    look()
    assert (len(mails()), len(mails("bob@example.com"))) == (0, 1)
    assert Message.objects.get().reference == "reminder:2"


def test_posted_while_they_were_erased(world: World, clock: Any) -> None:
    """It comes after the erasing, of somebody who was read before; it says nothing to anybody, for good."""
    before = Consumer.objects.get(pk=world.member(ADA).id)
    erase(before.pk)
    assert post(before)
    for _ in range(2):
        look()
        clock.shift(30)
    assert mail.outbox == []
    told = "Undeliverable: There is no such address any more."
    assert (row().box, row().tries, row().problem, row().sent_at) == (None, 1, told, None)


# --- Many, and long ago ---------------------------------------------------------------------------
def test_many_go_in_chunks(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FOUND", 5)
    monkeypatch.setattr(tasks, "CHUNK", 2)
    sizes: list[int] = []
    send = tasks.send_messages.run

    def counted(ids: list[int]) -> None:
        sizes.append(len(ids))
        send(ids)

    monkeypatch.setattr(tasks.send_messages, "run", counted)
    ada = world.member(ADA)
    for number in range(7):
        post(ada, f"reminder:{number}")
    look()
    assert (len(mails()), sizes) == (5, [2, 2, 1])
    look()
    assert (len(mails()), sizes) == (7, [2, 2, 1, 2])
    look()
    assert sizes == [2, 2, 1, 2]


def test_old_ones_are_forgotten_and_only_those(world: World, clock: Any) -> None:
    """A week after they were sent, or expired without."""
    kept = settings.CODES_KEPT_SECONDS
    ada = world.member(ADA)
    post(ada, "sent", lasts=30 * DAY)
    look()
    with override_settings(EMAIL_BACKEND=FAILING):
        post(ada, "unsent", lasts=100)
        post(ada, "waiting", lasts=30 * DAY)
        look()

    def left() -> set[str]:
        tasks.purge_sessions()
        return set(Message.objects.values_list("reference", flat=True))

    clock.shift(kept)
    assert left() == {"sent", "unsent", "waiting"}
    clock.shift(1)
    assert left() == {"unsent", "waiting"}
    clock.shift(100)
    assert left() == {"waiting"}
    look()
    assert len(mails()) == 2


def test_a_purge_takes_some_at_a_time(world: World, clock: Any) -> None:
    ada = world.member(ADA)
    for number in range(3):
        post(ada, f"reminder:{number}", lasts=1)
    clock.shift(2)
    assert messages.purge(now=time.now(), before=time.now(), at_most=2) == 2
    assert Message.objects.count() == 1


def test_beat_looks_for_them() -> None:
    scheduled = app.conf.beat_schedule["messages"]
    assert (scheduled["task"], scheduled["schedule"]) == (tasks.find_messages.name, 2)
