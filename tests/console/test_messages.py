"""What was sent to consumers, as staff see it: to whom, what became of it, never what it says."""

from typing import Any

from django.core import mail

from consumers.models import Consumer, Message
from fanfare import outgoing
from tests import notices
from tests.api.mailbox import ADA, FAILING, PHONE, mails
from tests.console.conftest import Console, messages_of
from tests.console.pages import offered, text_of
from tests.world import World

MESSAGE = "consumers_message"


def state(who: Console) -> str:
    page = who.open(MESSAGE, notices.row())
    return str(page.context["adminform"].model_admin.state(notices.row()))


def test_what_became_of_it(viewer: Console, world: World, clock: Any) -> None:
    ada = world.member(ADA)
    notices.post(ada)
    assert state(viewer) == "waiting"
    notices.look()
    assert state(viewer) == "sent"
    page = text_of(viewer.open(MESSAGE, notices.row()))
    for expected in (ADA, "reminder:1", "E-mail", "1 of 5"):
        assert expected in page
    assert notices.TEXT not in page
    clock.shift(notices.DAY)
    assert state(viewer) == "sent"  # over is over
    Message.objects.update(sent_at=None)
    assert state(viewer) == "expired"


def test_they_are_found_by_whom_they_went_to(viewer: Console, stranger: Console, world: World) -> None:
    ada, bob = world.member(ADA), world.member(phone=PHONE)
    for who, reference in ((ada, "to-ada"), (bob, "to-bob")):
        notices.post(who, reference)
    for term, expected in ((ADA.upper(), ["to-ada"]), (PHONE, ["to-bob"]), (ada.id, ["to-ada"]), ("zz", [])):
        rows = viewer.list(MESSAGE, q=term).context["cl"].result_list
        assert [row.reference for row in rows] == expected, term
        assert list(stranger.list(MESSAGE, q=term).context["cl"].result_list) == []
    links = viewer.open("consumers_consumer", Consumer.objects.get(pk=ada.id)).context["links"]
    url = dict(links)["Messages"]
    assert [row.reference for row in viewer.get(url).context["cl"].result_list] == ["to-ada"]


def test_a_failed_one_is_sent_again(
    editor: Console, viewer: Console, world: World, clock: Any, settings: Any
) -> None:
    mail_server, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, FAILING
    notices.post(world.member(ADA))
    for _ in range(outgoing.MOST_TRIES):
        assert offered(editor.open(MESSAGE, notices.row())) == []
        notices.look()
        clock.shift(31)
    assert "The mail server is away." in text_of(viewer.open(MESSAGE, notices.row()))
    assert state(viewer) == "failed"
    settings.EMAIL_BACKEND = mail_server
    notices.look()
    assert mail.outbox == []
    assert offered(viewer.open(MESSAGE, notices.row())) == []
    assert viewer.press(MESSAGE, notices.row(), "send-again").status_code == 403
    assert offered(editor.open(MESSAGE, notices.row())) == ["send-again"]
    assert "tried again" in messages_of(editor.press(MESSAGE, notices.row(), "send-again"))
    assert "no longer possible" in messages_of(editor.press(MESSAGE, notices.row(), "send-again"))
    notices.look()
    assert len(mails()) == 1


def test_the_address_of_somebody_erased(owner: Console, world: World, clock: Any) -> None:
    """What came behind the erasing tells why it went nowhere, and can't be sent again."""
    before = Consumer.objects.get(pk=world.member(ADA).id)
    owner.press("consumers_consumer", before, "erase")
    notices.post(before)
    notices.look()
    page = owner.open(MESSAGE, notices.row())
    assert "There is no such address any more." in text_of(page)
    assert (state(owner), offered(page)) == ("failed", [])
    assert ADA not in text_of(page)


def test_a_list_asks_few_questions(owner: Console, world: World, django_assert_max_num_queries: Any) -> None:
    for number in range(15):
        notices.post(world.member(f"p{number}@example.com"), f"reminder:{number}")
    with django_assert_max_num_queries(14):
        page = owner.list(MESSAGE)
    assert len(page.context["cl"].result_list) == 15
