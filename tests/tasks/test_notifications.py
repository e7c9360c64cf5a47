"""News for those who wait: whom it is meant for, once each, with a code where there is one."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from consumers.models import Consumer, Message
from distributions import tasks
from distributions.waitlists import notifying
from distributions.waitlists.models import Notification
from experiences.models import AccessCode, Event
from fanfare import clock as time
from tests.api.mailbox import PHONE
from tests.api.mailbox import messages as texts
from tests.concurrency.race import race
from tests.draws import WorkerDied
from tests.lines import fill
from tests.traces import redis_keys_with, tables_with
from tests.waitlists import STAFF, code_for, come_in, mails, members, news, send_all, told, trace, wait
from tests.world import World, assert_error, make_queue


def test_everyone_is_told_once_in_order(world: World, clock: Any) -> None:
    waitlist, (ada, bea) = world.waitlist(), members(world, "ada", "bea")
    guest, gone = world.consumer(), world.consumer()
    wait(waitlist, bea, gone, guest, ada)
    gone.leave(waitlist)
    clock.shift(5)
    made = news(waitlist, "Tea & cake.\n\nAt nine.")
    for _ in range(3):
        tasks.tick_waitlists()
        tasks.notify(made.pk)
    assert told(waitlist) == [bea.id, guest.id, ada.id]
    assert (made.notified, made.reached, made.finished_at) == (3, 4, time.now())
    assert trace(waitlist, ada.id)[-1] == ("notified", STAFF)
    assert trace(waitlist, gone.id)[-1] == ("left", f"consumer:{gone.id}")
    for who in (ada, guest):
        status = who.status(waitlist).json()
        assert (status["status"], status["notifiedAt"]) == ("QUEUED", "2026-12-01T09:00:05Z")
        assert "offerExpiresAt" not in status
    send_all()
    for name in ("ada", "bea"):
        (letter,) = mails(name)
        assert letter.subject == "Drop: The waitlist"
        assert "Tea & cake.\n\nAt nine." in letter.body
        assert "code" not in letter.body
    assert Message.objects.count() == 2  # guests have no address


def test_whoever_enters_later_is_not_meant(world: World, clock: Any) -> None:
    waitlist, (ada, bea) = world.waitlist(), members(world, "ada", "bea")
    wait(waitlist, ada)
    made = notifying.announce(waitlist, "News", now=time.now(), actor=STAFF)
    wait(waitlist, bea)
    tasks.tick_waitlists()
    assert told(waitlist) == [ada.id]
    # Nor who was told, left, and came back while others are still being told.
    Notification.objects.update(finished_at=None)
    ada.leave(waitlist)
    wait(waitlist, ada)
    tasks.notify(made.pk)
    assert told(waitlist) == [ada.id]


def test_the_next_so_many_who_were_told_nothing(world: World, clock: Any) -> None:
    waitlist, people = world.waitlist(), [world.consumer() for _ in range(5)]
    wait(waitlist, *people)
    ids = [one.id for one in people]
    assert [news(waitlist, limit=2).notified, news(waitlist, limit=2).notified] == [2, 2]
    assert told(waitlist) == ids[:4]
    assert news(waitlist, limit=9).notified == 1
    assert told(waitlist) == ids
    assert news(waitlist, limit=9).notified == 0
    assert news(waitlist).notified == 5  # everyone is everyone


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("size", "42", ["a", "b"]),
        ("size", "43", ["c"]),
        ("vip", "true", ["b"]),
        ("vip", "", []),
        ("1", "one", ["c"]),
        ("a.b", "x", ["c"]),
        ("missing", "", []),
    ],
)
def test_a_segment_by_the_entrys_metadata(
    world: World, clock: Any, name: str, value: str, expected: list[str]
) -> None:
    waitlist, people = world.waitlist(), {name: world.consumer() for name in "abcd"}
    wait(waitlist, people["a"], size=42)
    wait(waitlist, people["b"], size="42", vip=True)
    wait(waitlist, people["c"], **{"size": 43, "1": "one", "a.b": "x"})
    wait(waitlist, people["d"])
    news(waitlist, metadata_name=name, metadata_value=value)
    assert told(waitlist) == [people[name].id for name in expected]


def test_of_a_segment_the_next_so_many(world: World, clock: Any) -> None:
    waitlist, people = world.waitlist(), [world.consumer() for _ in range(4)]
    for number, one in enumerate(people):
        wait(waitlist, one, size=number % 2)
    made = news(waitlist, metadata_name="size", metadata_value="1", limit=1)
    assert told(waitlist) == [people[1].id]
    assert made.finished_at is not None


# --- Codes ----------------------------------------------------------------------------------------
def test_a_code_is_for_one_consumer_once_and_for_a_while(world: World, clock: Any) -> None:
    waitlist, vip = world.waitlist(), world.sequence_with("vip", priority=-9)
    ada, bea = members(world, "ada", "bea")
    guest = world.consumer()
    wait(waitlist, guest, ada, bea)
    made = news(waitlist, "Come in.", sequence=vip, code_seconds=600)
    assert told(waitlist) == [ada.id, bea.id]  # a guest can't be sent one
    vip.refresh_from_db()
    assert vip.requires_access_code
    asked = Event.objects.get(name="settings.changed", data__object=vip.pk)
    assert (asked.actor, asked.data["after"]) == (STAFF, {"requiresAccessCode": True})
    assert ada.status(waitlist).json()["offerExpiresAt"] == "2026-12-01T09:10:00Z"
    code, other = code_for("ada"), code_for("bea")
    assert code != other
    assert "until 1 December 2026, 09:10 (UTC)" in mails("ada")[0].body
    assert come_in(world, bea, code).json()["sequenceId"] != vip.pk
    assert come_in(world, ada, code).json()["sequenceId"] == vip.pk
    assert AccessCode.objects.get(consumer_id=ada.id).uses == 1
    clock.shift(600)
    assert come_in(world, bea, other).json()["sequenceId"] != vip.pk
    assert "offerExpiresAt" not in bea.status(waitlist).json()
    assert ada.enter(make_queue(vip)).status_code == 200  # it was used in time
    assert made.notified == 2


def test_somebody_elses_code_is_a_wrong_code(world: World, clock: Any) -> None:
    waitlist, vip = world.waitlist(), world.sequence_with("vip")
    world.sequence.requires_authentication = True
    world.sequence.save()
    (ada,) = members(world, "ada")
    wait(waitlist, ada)
    news(waitlist, sequence=vip, code_seconds=3600)
    code, thief = code_for("ada"), world.consumer()
    for _ in range(10):
        assert come_in(world, thief, code).status_code == 403
    assert_error(come_in(world, thief, code), 429, "Rate limit exceeded")
    assert AccessCode.objects.get().uses == 0


def test_the_code_stands_nowhere(world: World, clock: Any) -> None:
    waitlist, vip, (ada,) = world.waitlist(), world.sequence_with("vip"), members(world, "ada")
    wait(waitlist, ada)
    news(waitlist, sequence=vip, code_seconds=3600)
    code = code_for("ada")
    for text in (code, code.replace("-", "")):
        assert tables_with(text) == set()
        assert redis_keys_with(text) == set()


def test_by_sms_with_code_and_link(world: World, clock: Any) -> None:
    waitlist, vip, bob = world.waitlist(), world.sequence_with("vip"), world.member(subject="bob")
    Consumer.objects.filter(pk=bob.id).update(phone=PHONE, phone_verified_at=time.now())
    wait(waitlist, bob)
    news(waitlist, "Come in.", sequence=vip, code_seconds=3600)
    send_all()
    (text,) = texts()
    code = AccessCode.objects.get()
    said = text.splitlines()
    assert said[0] == "Come in."
    assert said[-2].endswith(code.hint)
    assert said[-1].startswith("No more of this: http")


def test_what_can_not_be_announced(world: World, clock: Any) -> None:
    waitlist, elsewhere = world.waitlist(), world.sequence_in("club")
    vip = world.sequence_with("vip")
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("sequence", {"sequence": elsewhere, "code_seconds": 60}),
        ("code_seconds", {"sequence": vip}),
        ("metadata_name", {"metadata_value": "42"}),
    ]
    for name, more in wrong:
        with pytest.raises(ValidationError) as problem:
            notifying.announce(waitlist, "News", now=time.now(), actor=STAFF, **more)
        assert set(problem.value.message_dict) == {name}
    assert not Notification.objects.exists()
    elsewhere.refresh_from_db()
    assert not elsewhere.requires_access_code


# --- However it runs ------------------------------------------------------------------------------
def test_many_in_many_transactions(world: World, clock: Any, monkeypatch: Any) -> None:
    waitlist = world.waitlist()
    people = fill(waitlist, world, 25)
    monkeypatch.setattr(notifying, "AT_ONCE", 10)
    made = news(waitlist)
    assert told(waitlist) == people
    assert (made.notified, made.reached) == (25, 25)


def test_a_worker_that_dies_is_taken_over_from(world: World, clock: Any, monkeypatch: Any) -> None:
    waitlist = world.waitlist()
    people = fill(waitlist, world, 25)
    monkeypatch.setattr(notifying, "AT_ONCE", 10)
    made = notifying.announce(waitlist, "News", now=time.now(), actor=STAFF)
    post, calls = notifying._post, []

    def dies_late(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 15:
            raise WorkerDied
        post(*arguments)

    monkeypatch.setattr(notifying, "_post", dies_late)
    with pytest.raises(WorkerDied):
        tasks.notify(made.pk)
    assert told(waitlist) == people[:10]  # the transaction in which it died left nothing behind
    made.refresh_from_db()
    assert (made.notified, made.reached, made.finished_at) == (10, 10, None)
    tasks.tick_waitlists()
    assert told(waitlist) == people


def test_many_workers_tell_everyone_once(world: World, clock: Any, monkeypatch: Any) -> None:
    waitlist, names = world.waitlist(), [f"p{number}" for number in range(12)]
    wait(waitlist, *members(world, *names))
    monkeypatch.setattr(notifying, "AT_ONCE", 2)
    made = notifying.announce(waitlist, "News", now=time.now(), actor=STAFF, limit=9)
    race(6, lambda _: tasks.notify(made.pk)).all()
    tasks.notify(made.pk)
    assert len(told(waitlist)) == len(set(told(waitlist))) == 9
    assert Message.objects.count() == 9
    assert Event.objects.filter(name="waitlist.consumer.notified").count() == 9
    made.refresh_from_db()
    assert made.notified == 9


def test_without_the_lock_somebody_is_told_twice(world: World, clock: Any, monkeypatch: Any) -> None:
    """The control: were the notification not locked, the constraint alone would stop the second worker."""
    waitlist = world.waitlist()
    fill(waitlist, world, 6)
    made = notifying.announce(waitlist, "News", now=time.now(), actor=STAFF)
    rows = type(Notification.objects.all())
    monkeypatch.setattr(rows, "select_for_update", lambda self, **options: self)
    assert race(4, lambda _: tasks.notify(made.pk)).errors != []
    assert len(told(waitlist)) == 6


def test_opening_and_closing_are_traced(world: World, clock: Any) -> None:
    waitlist = world.waitlist(opens_in=10, closes_in=20)
    tasks.tick_doors()
    assert not Event.objects.filter(distribution_id=waitlist.pk).exists()
    clock.shift(10)
    for _ in range(2):
        tasks.tick_doors()
    clock.shift(10)
    for _ in range(2):
        tasks.tick_doors()
    rows = Event.objects.filter(distribution_id=waitlist.pk).order_by("id")
    assert list(rows.values_list("name", "actor")) == [
        ("waitlist.opened", "system:schedule"),
        ("waitlist.closed", "system:close_doors"),
    ]
