"""The mail with a one-time code: in the shop's name and look, whatever its staff typed there."""

from typing import Any

import pytest
from django.conf import settings
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives
from django.test import override_settings

from auth_otp import tasks
from fanfare import clock as time
from fanfare.mail import ORGANIZATION
from tests.api.mailbox import ADA, PHONE, ask, get_code, html_of, last_challenge, last_code, mails, messages
from tests.api.servers import redis_away
from tests.world import World


def test_the_mail_looks_like_the_shop(world: World, clock: Any) -> None:
    shop = world.organization
    shop.name = "Käse & Söhne"
    shop.theme = {"primaryColor": "#ff0055", "borderRadius": "3px", "backgroundColor": "#001122"}
    shop.logo_url = "https://cdn.example.com/logo.png?a=1&b=2"
    shop.save()
    code = get_code(world)
    (message,) = mails()
    assert message.subject == f"{code} is your code for Käse & Söhne"
    assert f"Your sign-in code is {code}" in message.body
    assert str(message.body).startswith("Käse & Söhne\n")
    html = html_of(message)
    assert "https://cdn.example.com/logo.png?a=1&amp;b=2" in html
    assert "Käse &amp; Söhne" in html
    for expected in (code, "#ff0055", "3px", "#001122", "10 minutes"):
        assert expected in html
    assert message.extra_headers[ORGANIZATION] == shop.pk
    written = message.message()
    assert written["From"].endswith(f" <{settings.DEFAULT_FROM_EMAIL}>")
    assert "=?utf-8?" in written["From"]
    assert written["X-Fanfare-Organization"] == shop.pk
    assert written["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in written.walk()][1:] == ["text/plain", "text/html"]


def test_the_themes_logo_comes_first_and_a_name_stands_for_none(world: World, clock: Any) -> None:
    get_code(world)
    world.organization.logo_url = "https://cdn.example.com/old.png"
    world.organization.theme = {"logoUrl": "https://cdn.example.com/new.png"}
    world.organization.save()
    get_code(world, "bob@example.com")
    plain, themed = html_of(mails()[0]), html_of(mails("bob@example.com")[0])
    assert "<img" not in plain
    assert f">{world.organization.name}</p>" in plain
    assert "new.png" in themed
    assert "old.png" not in themed


HOSTILE = [
    "Shop\r\nBcc: victim@example.com",
    "Shop\nSubject: hello",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '"Bank" <bank@example.com>, x',
    "{{ code }}{% debug %}",
    "\u2028\x85\x0b Shop",
    "x" * 200,
    "💥" * 200,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_of_a_shop(world: World, clock: Any, name: str) -> None:
    world.organization.name = name
    world.organization.save()
    code = get_code(world)
    (message,) = mails()
    written = message.message()
    assert message.recipients() == [ADA]
    assert written["Bcc"] is None
    assert [len(written.get_all(name, [])) for name in ("Subject", "From", "To")] == [1, 1, 1]
    assert written["From"].endswith(f"<{settings.DEFAULT_FROM_EMAIL}>")
    assert written["From"].replace('\\"', "").count("@") == 1 + name.count("@")
    html = html_of(message)
    assert "<script" not in html
    assert "<img" not in html
    assert code in message.body
    assert len(get_code(world, PHONE)) == 6
    assert "\n" not in messages()[0]


def test_the_sender_is_the_address_of_the_installation(world: World, clock: Any) -> None:
    with override_settings(DEFAULT_FROM_EMAIL="Fanfare <codes@fanfare.example>"):
        get_code(world)
    assert mails()[0].message()["From"] == f"{world.organization.name} <codes@fanfare.example>"


def test_a_mail_goes_to_that_domain_and_no_look_alike(world: World, clock: Any) -> None:
    """By IDNA 2003, as Django writes it, `straße.de` would be `strasse.de`, which somebody else may own."""
    assert ask(world, "ada@straße.de").status_code == 200
    (message,) = django_mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    assert message.message()["To"] == "ada@xn--strae-oqa.de"


def test_no_code_in_the_clear_and_the_box_is_emptied(world: World, clock: Any) -> None:
    with redis_away():  # nobody sends it yet
        ask(world)
    unsent = last_challenge()
    assert unsent.box is not None
    tasks.send_codes()
    sent, code = last_challenge(), last_code()
    assert (sent.box, sent.sent_at, sent.tries) == (None, time.now(), 1)
    for value in (*vars(unsent).values(), *vars(sent).values()):
        assert code.encode() not in (bytes(value) if isinstance(value, bytes | memoryview) else b"")
        assert not isinstance(value, str) or code not in value
