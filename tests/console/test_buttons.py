"""Pressing the console's buttons: the same moves as the API's, by the staff user, or a refusal in words."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consumers.models import Session
from distributions.core import participation_admin
from distributions.core.models import Distribution, Participation
from experiences.models import ApiKey, Event
from tests.console.conftest import Console, messages_of
from tests.world import World, assert_error

QUEUE = "distributions_distribution"
PARTICIPATION = "distributions_participation"


def number(page: Any, title: str) -> str:
    """A number of the queue's page."""
    return str({entry[0]: entry[1] for entry in page.context["numbers"]}[title])


def test_pause_resume_close(editor: Console, world: World) -> None:
    queue, consumer = world.queue(), world.consumer()
    waiting = world.consumer()
    waiting.enter(queue)
    page = editor.open(QUEUE, queue)
    assert (page.context["phase"], number(page, "Waiting")) == ("OPEN", "1")
    assert "Paused" in messages_of(editor.press(QUEUE, queue, "pause"))
    assert_error(consumer.enter(queue), 400, "Queue is closed", "QUEUE_PAUSED")
    assert "no longer possible" in messages_of(editor.press(QUEUE, queue, "pause"))
    editor.press(QUEUE, queue, "resume")
    assert consumer.enter(queue).status_code == 200
    close = reverse(f"admin:{QUEUE}_press", args=[queue.pk, "close"])
    assert "For good" in editor.get(close).content.decode()
    assert Distribution.objects.get().closed_at is None
    page = editor.press(QUEUE, queue, "close", reason="Over")
    assert page.context["phase"] == "CLOSED"
    assert waiting.status(queue).json()["denyReason"] == "QUEUE_CLOSED"
    told = list(Event.objects.filter(actor=editor.actor).order_by("id").values_list("name", flat=True))
    assert told == ["queue.paused", "queue.resumed", "queue.closed"]


def test_admit_now(editor: Console, world: World) -> None:
    queue = world.queue(max_admissions=2, session_seconds=600)
    people = [world.consumer() for _ in range(3)]
    for consumer in people:
        consumer.enter(queue)
    for wrong in ("", "0", "-1", "1e3", "99999999999", "\u0661x"):
        page = editor.press(QUEUE, queue, "admit", number=wrong)
        assert "number" in page.context["form"].errors, wrong
    page = editor.press(QUEUE, queue, "admit", number="5")
    assert "2 admitted. Nobody else could be." in messages_of(page)
    assert [consumer.status(queue).json()["status"] for consumer in people] == [
        "ADMITTED",
        "ADMITTED",
        "QUEUED",
    ]
    assert (number(page, "Admitted"), number(page, "Inside"), number(page, "Waiting")) == ("2", "2", "1")
    assert "Queue is closed" in messages_of(editor.press(QUEUE, queue, "admit", number="1"))
    assert Event.objects.filter(actor=editor.actor, name="queue.consumer.admitted").count() == 2


def test_a_refusal_is_a_message(editor: Console, world: World) -> None:
    queue = world.queue(opens_in=3600)
    page = editor.press(QUEUE, queue, "admit", number="1")
    assert page.status_code == 200
    assert "Queue is not open yet" in messages_of(page)


def test_admit_and_deny_one(editor: Console, world: World) -> None:
    queue = world.queue()
    first, second = world.consumer(), world.consumer()
    for consumer in (first, second):
        consumer.enter(queue)
    one, two = Participation.objects.order_by("id")
    editor.press(PARTICIPATION, two, "admit")
    assert second.status(queue).json()["status"] == "ADMITTED"
    assert Event.objects.get(name="queue.consumer.admitted").data["outOfTurn"] is True
    assert "no longer possible" in messages_of(editor.press(PARTICIPATION, two, "admit"))
    assert "reason" in editor.press(PARTICIPATION, one, "deny", reason="").context["form"].errors
    assert "reason" in editor.press(PARTICIPATION, one, "deny", reason="x" * 201).context["form"].errors
    editor.press(PARTICIPATION, one, "deny", reason="Bots only")
    told = first.status(queue).json()
    assert (told["status"], told["denyReason"]) == ("DENIED", "Bots only")
    event = Event.objects.get(name="queue.consumer.denied")
    assert (event.actor, event.consumer_id, event.data["from"]) == (editor.actor, first.id, "QUEUED")


def test_an_old_participation_does_not_stand_for_the_new_one(editor: Console, world: World) -> None:
    queue, consumer = world.queue(), world.consumer()
    consumer.enter(queue)
    consumer.leave(queue)
    consumer.enter(queue)
    old = Participation.objects.order_by("id")[0]
    assert "no longer possible" in messages_of(editor.press(PARTICIPATION, old, "deny", reason="x"))
    assert consumer.status(queue).json()["status"] == "QUEUED"


def test_deny_selected(
    editor: Console, viewer: Console, world: World, other_world: World, monkeypatch: Any
) -> None:
    queue, theirs = world.queue(), other_world.queue()
    people = [world.consumer() for _ in range(3)]
    for consumer in people:
        consumer.enter(queue)
    people[2].leave(queue)
    outsider = other_world.consumer()
    outsider.enter(theirs)
    url = reverse(f"admin:{PARTICIPATION}_changelist")
    chosen = [str(pk) for pk in Participation.objects.values_list("pk", flat=True)]
    body: dict[str, Any] = {"action": "deny_selected", "_selected_action": chosen}
    asked = editor.client.post(url, body)
    assert dict(asked.context["hidden"])["action"] == "deny_selected"
    assert viewer.client.post(url, {**body, "reason": "x"}, follow=True).status_code == 200
    assert people[0].status(queue).json()["status"] == "QUEUED"
    monkeypatch.setattr(participation_admin, "AT_ONCE", 2)
    refused = editor.client.post(url, {**body, "reason": "Too many"}, follow=True)
    assert "At most 2 at once" in messages_of(refused)
    assert people[0].status(queue).json()["status"] == "QUEUED"
    monkeypatch.undo()
    done = editor.client.post(url, {**body, "reason": "Too many"}, follow=True)
    assert "2 denied. 1 had ended before" in messages_of(done)
    assert [consumer.status(queue).json()["status"] for consumer in people] == ["DENIED", "DENIED", "LEFT"]
    assert outsider.status(theirs).json()["status"] == "QUEUED"


def test_deny_selected_stops_where_one_is_only_a_viewer(
    editor: Console, world: World, other_world: World
) -> None:
    editor.user.memberships.create(organization=other_world.organization, role="viewer")
    theirs, outsider = other_world.queue(), other_world.consumer()
    outsider.enter(theirs)
    url = reverse(f"admin:{PARTICIPATION}_changelist")
    body = {"action": "deny_selected", "_selected_action": [Participation.objects.get().pk], "reason": "x"}
    assert "Nothing was changed" in messages_of(editor.client.post(url, body, follow=True))
    assert outsider.status(theirs).json()["status"] == "QUEUED"


def test_end_a_session(editor: Console, world: World) -> None:
    consumer = world.consumer()
    queue = world.queue()
    session = Session.objects.get(consumer_id=consumer.id)
    editor.press("consumers_session", session, "revoke")
    assert_error(consumer.enter(queue), 401, "Authentication required")
    event = Event.objects.get(name="session.ended")
    assert (event.actor, event.data["reason"]) == (editor.actor, "revoked")
    assert "no longer possible" in messages_of(editor.press("consumers_session", session, "revoke"))


@pytest.mark.parametrize("button", ["pause", "resume", "close", "admit"])
def test_buttons_ask_who_presses(
    button: str, world: World, viewer: Console, stranger: Console, superuser: Console
) -> None:
    queue = world.queue()
    body = {"number": "1"}
    assert viewer.press(QUEUE, queue, button, **body).status_code == 403
    assert "doesn’t exist" in messages_of(stranger.press(QUEUE, queue, button, **body))
    url = reverse(f"admin:{QUEUE}_press", args=[queue.pk, button])
    assert Client().post(url, body).headers["Location"].startswith("/admin/login/")
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(superuser.user)
    assert careful.post(url, body).status_code == 403
    assert careful.get(url).status_code == 200
    after = Distribution.objects.get()
    assert (after.paused_at, after.closed_at) == (None, None)
    assert superuser.press(QUEUE, queue, "zz").status_code == 404


def test_a_keys_text_is_shown_once(owner: Console, editor: Console, world: World) -> None:
    assert editor.get(reverse("admin:experiences_apikey_add")).status_code == 403
    page = owner.add(
        "experiences_apikey", organization=world.organization.pk, kind="secret", mode="live", name="Shop"
    )
    text = page.context["text"]
    assert "no-store" in page.headers["Cache-Control"]
    assert text in page.content.decode()
    key = ApiKey.objects.get(name="Shop")
    for url in ("changelist", "change"):
        arguments = [key.pk] if url == "change" else []
        again = owner.get(reverse(f"admin:experiences_apikey_{url}", args=arguments)).content.decode()
        assert text not in again
        assert key.hint in again
    assert text[3:] not in str(list(ApiKey.objects.values())) + str(owner.client.session.items())
    world.secret = text
    assert world.server().get("/organizations/current").status_code == 200
    old = owner.press("experiences_apikey", key, "rotate")
    assert old.context["text"] != text
    assert world.server().get("/organizations/current").status_code == 200
    assert editor.press("experiences_apikey", key, "revoke").status_code == 403
    owner.press("experiences_apikey", key, "revoke")
    assert_error(world.server().get("/organizations/current"), 401, "Authentication required")
    world.secret = old.context["text"]
    assert world.server().get("/organizations/current").status_code == 200
    assert "no longer possible" in messages_of(owner.press("experiences_apikey", key, "rotate"))
