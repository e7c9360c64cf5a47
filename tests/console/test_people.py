"""Who is who in the console: finding somebody, their identities and sessions, what was sent to them."""

from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse

from auth_otp import delivery, tasks
from auth_otp.models import OtpChallenge, OutboxMessage
from consumers.models import Consumer, Session, Visit
from experiences.models import Event, Organization
from tests.api.mailbox import ADA, FAILING, PHONE, ask, get_code, last_challenge, last_code, verify, wrong
from tests.console.conftest import Console, messages_of
from tests.world import World, assert_error

CONSUMER, SESSION, VISIT = "consumers_consumer", "consumers_session", "consumers_visit"
CHALLENGE, OUTBOX = "auth_otp_otpchallenge", "auth_otp_outboxmessage"


def found(who: Console, model: str, term: str) -> set[str]:
    """The ids on the page that a search answers with."""
    page = who.list(model, q=term)
    assert page.status_code == 200, page.content
    return {str(row.pk) for row in page.context["cl"].result_list}


def test_consumers_are_found_by_what_they_are_known_by(
    viewer: Console, stranger: Console, superuser: Console, world: World
) -> None:
    ada, bob = world.member("Ada@Example.com", subject="customer-4711"), world.consumer()
    by_phone = world.signed_in(verify(world, get_code(world, PHONE), PHONE)).id
    for term, ids in (
        (ada.id, {ada.id}),
        (" ADA@example.com ", {ada.id}),
        ("customer-4711", {ada.id}),
        (PHONE, {by_phone}),
        (bob.id, {bob.id}),
        ("customer-471", set()),
        ("CUSTOMER-4711", set()),
        ("da@example.com", set()),
        ("%", set()),
        ("cons_", set()),
    ):
        assert found(viewer, CONSUMER, term) == ids, term
        assert found(superuser, CONSUMER, term) == ids, term
        assert found(stranger, CONSUMER, term) == set(), term
    assert len(found(viewer, CONSUMER, "")) == 3


def test_participations_are_found_by_an_address(viewer: Console, world: World) -> None:
    ada, queue = world.member("ada@example.com"), world.queue()
    ada.headers["X-Fingerprint"] = "fp_0123456789"
    assert ada.enter(queue).status_code == 200
    assert len(found(viewer, "distributions_participation", "ADA@example.com")) == 1
    assert found(viewer, "distributions_participation", "bob@example.com") == set()


def test_a_consumers_page_says_who_they_are(viewer: Console, world: World, clock: Any) -> None:
    guest = world.consumer()
    guest.post(f"/experiences/{world.sequence.experience_id}/enter")
    ada = world.member("ada@example.com", subject="customer-4711", guest=guest, name="<b>Ada</b>")
    page = viewer.open(CONSUMER, Consumer.objects.get(pk=ada.id)).content.decode()
    assert "customer-4711" in page
    assert "✓ 1\u00a0Dec\u00a02026, 09:00:00\u00a0UTC" in page
    assert f'href="{reverse(f"admin:{CONSUMER}_change", args=[guest.id])}"' in page
    assert "<b>Ada" not in page
    for model in ("distributions_participation", VISIT):
        assert f"{reverse(f'admin:{model}_changelist')}?consumer__id__exact={ada.id}" in page
    of_guest = viewer.open(CONSUMER, Consumer.objects.get(pk=guest.id)).content.decode()
    assert reverse(f"admin:{CONSUMER}_change", args=[quote(ada.id)]) in of_guest
    (visit,) = viewer.list(VISIT, consumer__id__exact=ada.id).context["cl"].result_list
    assert visit == Visit.objects.get()


def test_nothing_secret_is_on_any_page(owner: Console, world: World) -> None:
    code, sms = get_code(world), get_code(world, PHONE)
    browser = world.signed_in(verify(world, code))
    session, challenge = Session.objects.get(), last_challenge(PHONE)
    secrets = [
        code, sms, browser.token, browser.refresh_token, bytes(session.refresh_salt).hex(),
        bytes(challenge.digest).hex(), bytes(challenge.salt).hex(), bytes(challenge.client).hex(),
        repr(bytes(challenge.digest)), "memory at 0x",
    ]  # fmt: skip
    pages = [owner.list(model) for model in (CONSUMER, SESSION, CHALLENGE)]
    pages += [owner.open(CONSUMER, Consumer.objects.get(pk=browser.id)), owner.open(SESSION, session)]
    pages += [owner.open(CHALLENGE, row) for row in OtpChallenge.objects.all()]
    for page in pages:
        assert page.status_code == 200
        text = page.content.decode()
        assert [secret for secret in secrets if secret in text] == []


def test_sign_out_everywhere(editor: Console, viewer: Console, stranger: Console, world: World) -> None:
    one, two, other = (world.member(subject=name) for name in ("ada", "ada", "bob"))
    assert one.id == two.id
    ada = Consumer.objects.get(pk=one.id)
    assert viewer.press(CONSUMER, ada, "sign-out").status_code == 403
    assert "doesn’t exist" in messages_of(stranger.press(CONSUMER, ada, "sign-out"))
    assert one.get("/consumers/me").status_code == 200
    page = editor.press(CONSUMER, ada, "sign-out")
    assert "2 of their sessions ended" in messages_of(page)
    for browser in (one, two):
        assert_error(browser.get("/consumers/me"), 401, "Authentication required")
        refreshed = world.shop_front().post("/auth/refresh", {"refreshToken": browser.refresh_token})
        assert_error(refreshed, 401, "invalid refresh token")
    assert other.get("/consumers/me").status_code == 200
    told = Event.objects.filter(name="session.ended", actor=editor.actor)
    assert {(event.consumer_id, event.data["reason"]) for event in told} == {(ada.pk, "revoked")}
    assert "no longer possible" in messages_of(editor.press(CONSUMER, ada, "sign-out"))


def test_a_session_is_ended_from_its_consumers_page(editor: Console, viewer: Console, world: World) -> None:
    world.consumer()
    session = Session.objects.get()
    url = reverse(f"admin:{SESSION}_press", args=[session.pk, "revoke"])
    assert url in editor.open(CONSUMER, session.consumer).content.decode()
    assert url not in viewer.open(CONSUMER, session.consumer).content.decode()
    editor.press(SESSION, session, "revoke")
    assert url not in editor.open(CONSUMER, session.consumer).content.decode()


def test_a_delivery_tells_what_became_of_it(viewer: Console, world: World, clock: Any) -> None:
    def state() -> str:
        row = viewer.list(CHALLENGE, q=ADA.upper()).context["cl"].result_list[0]
        return str(viewer.open(CHALLENGE, row).context["adminform"].model_admin.state(row))

    code = get_code(world)
    assert state() == "sent"
    verify(world, wrong(code))
    row = viewer.list(CHALLENGE, q=ADA).content.decode()
    assert "1 of 5" in row
    verify(world, code)
    assert state() == "used"
    clock.shift(60)
    get_code(world)
    first = last_challenge()
    clock.shift(60)
    get_code(world)
    assert "voided" in viewer.open(CHALLENGE, first).content.decode()
    clock.shift(601)
    assert state() == "expired"
    assert found(viewer, CHALLENGE, PHONE) == set()


def test_a_failed_delivery_is_sent_again(
    editor: Console, viewer: Console, world: World, clock: Any, settings: Any
) -> None:
    mail_server, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, FAILING
    ask(world)
    for _ in range(delivery.MOST_TRIES):
        clock.shift(31)
        tasks.send_codes.delay()
    challenge = last_challenge()
    page = viewer.open(CHALLENGE, challenge).content.decode()
    assert "The mail server is away." in page
    assert "Send again" not in page
    settings.EMAIL_BACKEND = mail_server
    tasks.send_codes.delay()
    assert last_challenge().sent_at is None
    assert viewer.press(CHALLENGE, challenge, "send-again").status_code == 403
    assert "Send again" in editor.open(CHALLENGE, challenge).content.decode()
    assert "tried again" in messages_of(editor.press(CHALLENGE, challenge, "send-again"))
    assert "no longer possible" in messages_of(editor.press(CHALLENGE, challenge, "send-again"))
    tasks.send_codes.delay()
    clock.shift(31)
    tasks.send_codes.delay()
    assert verify(world, last_code()).status_code == 200


def test_a_gateways_address_is_no_shops_business(owner: Console, world: World) -> None:
    ask(world)
    problem = "HTTPStatusError: '401' for url 'https://user:pass@gateway.example.com/send?key=abc'"
    OtpChallenge.objects.update(problem=problem, sent_at=None)
    for page in (owner.list(CHALLENGE), owner.open(CHALLENGE, last_challenge())):
        text = page.content.decode()
        assert "401" in text
        assert "gateway" not in text
        assert "abc" not in text


def test_the_outbox_is_for_those_who_may_act(
    owner: Console, editor: Console, viewer: Console, stranger: Console, superuser: Console, world: World
) -> None:
    code = get_code(world, PHONE)
    message = OutboxMessage.objects.get()
    link = reverse(f"admin:{OUTBOX}_changelist")
    for who in (owner, editor, superuser):
        assert found(who, OUTBOX, PHONE) == {str(message.pk)}
        assert code in who.open(OUTBOX, message).content.decode()
        assert link in who.get("/admin/").content.decode()
    assert viewer.list(OUTBOX).status_code == 403
    assert code not in str(viewer.client.get(reverse(f"admin:{OUTBOX}_change", args=[message.pk])).content)
    assert link not in viewer.get("/admin/").content.decode()
    assert found(stranger, OUTBOX, "") == set()
    for name in ("change", "history", "delete"):
        url = reverse(f"admin:{OUTBOX}_{name}", args=[message.pk])
        for who in (viewer, stranger):
            assert who.get(url).status_code in (302, 403)
            assert who.post(url, post="yes").status_code in (302, 403)
    assert editor.post(reverse(f"admin:{OUTBOX}_delete", args=[message.pk]), post="yes").status_code == 403


def test_an_editor_here_who_only_looks_there_reads_no_codes_there(
    editor: Console, world: World, other_world: World
) -> None:
    editor.user.memberships.create(organization=other_world.organization, role="viewer")
    code = get_code(other_world, PHONE)
    message = OutboxMessage.objects.get()
    assert found(editor, OUTBOX, "") == set()
    answer = editor.client.get(reverse(f"admin:{OUTBOX}_change", args=[message.pk]), follow=True)
    assert code not in answer.content.decode()
    assert "doesn’t exist" in messages_of(answer)


def test_without_an_outbox_the_menu_has_none(owner: Console, settings: Any) -> None:
    link = reverse(f"admin:{OUTBOX}_changelist")
    assert link in owner.get("/admin/").content.decode()
    settings.SMS_BACKEND = "fanfare.sms.to_gateway"
    assert link not in owner.get("/admin/").content.decode()
    settings.EMAIL_BACKEND = "auth_otp.outbox.EmailBackend"
    assert link in owner.get("/admin/").content.decode()


def test_a_mail_is_shown_as_it_looks_and_can_do_nothing(owner: Console, world: World, settings: Any) -> None:
    settings.EMAIL_BACKEND = "auth_otp.outbox.EmailBackend"
    Organization.objects.update(name='Shop "><script>alert(1)</script>')
    ask(world)
    message = OutboxMessage.objects.get()
    page = owner.open(OUTBOX, message).content.decode()
    assert "<script>alert" not in page
    assert 'sandbox="" srcdoc="&lt;!doctype html&gt;' in page
    assert message.text.strip().splitlines()[-1][:40] in page


@pytest.mark.parametrize("model", [CONSUMER, SESSION, VISIT, CHALLENGE, OUTBOX])
def test_lists_ask_few_questions(
    model: str, owner: Console, world: World, django_assert_max_num_queries: Any
) -> None:
    for number in range(15):
        browser = world.consumer()
        browser.post(f"/experiences/{world.sequence.experience_id}/enter")
        ask(world, f"+49151234567{number:02}", by=world.shop_front())
        OtpChallenge.objects.update(client=b"")  # as if each had asked from elsewhere
    with django_assert_max_num_queries(14):
        page = owner.list(model)
    assert len(page.context["cl"].result_list) == 15
