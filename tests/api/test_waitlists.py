"""`/waitlists/…`: enter, ask, leave; the page behind the link in a message."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from distributions.core.models import Participation, Tally
from distributions.waitlists import notifying
from experiences.models import AccessCode
from fanfare import ids, redis
from tests.waitlists import link_for, mails, members, news, trace, wait
from tests.world import World, assert_error, loaded, make_world, path_of


def test_the_waitlist_as_anybody_sees_it(world: World, clock: Any) -> None:
    waitlist = world.waitlist(capacity=5, closes_in=60)
    wait(waitlist, world.consumer())
    answer = world.shop_front().get(path_of(waitlist))
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert answer.json() == {
        "id": waitlist.pk,
        "name": "The waitlist",
        "sequenceId": world.sequence.pk,
        "experienceId": world.sequence.experience_id,
        "openAt": None,
        "closeAt": "2026-12-01T09:01:00Z",
        "timeZone": "UTC",
        "supportsGuest": True,
        "status": "OPEN",
        "capacity": 5,
        "mode": "notify",
        "consumerCount": 1,
    }
    clock.shift(60)
    assert world.shop_front().get(path_of(waitlist)).json()["status"] == "CLOSED"


def test_enter_and_ask_and_leave(world: World, clock: Any) -> None:
    waitlist, guest = world.waitlist(), world.consumer()
    first = guest.enter(waitlist).json()
    advice = first.pop("pollAfterSeconds")
    assert 24 <= advice <= 30
    name = first.pop("id")
    assert first == {
        "status": "QUEUED",
        "consumerId": guest.id,
        "waitlistId": waitlist.pk,
        "sequenceId": world.sequence.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "isEntered": True,
    }
    clock.shift(5)
    again = guest.enter(waitlist).json()
    assert (again["id"], again["enteredAt"]) == (name, first["enteredAt"])
    assert world.consumer().enter(waitlist).json()["id"] != name
    status = guest.status(waitlist).json()
    del status["pollAfterSeconds"], first["sequenceId"]
    assert status == first
    left = guest.leave(waitlist)
    assert left.json() == {
        "status": "LEFT",
        "consumerId": guest.id,
        "waitlistId": waitlist.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "isEntered": False,
    }
    clock.shift(5)
    assert (guest.leave(waitlist).status_code, guest.leave(waitlist).json()) == (200, left.json())
    assert [name for name, _ in trace(waitlist, guest.id)] == ["entered", "left"]
    assert Tally.objects.get(pk=waitlist.pk).taken == 1


@pytest.mark.parametrize("has_redis", [True, False])
def test_who_does_not_wait_is_told_so(world: World, clock: Any, monkeypatch: Any, has_redis: bool) -> None:
    waitlist, never, left = world.waitlist(), world.consumer(), world.consumer()
    wait(waitlist, left)
    left.leave(waitlist)
    if not has_redis:
        monkeypatch.setattr(redis, "attempt", lambda what, run: None)
    for one in (never, left):
        answer = one.status(waitlist)
        assert (answer.status_code, answer.json()) == (200, {"waitlistId": waitlist.pk, "isEntered": False})


def test_whoever_comes_again_starts_at_the_end(world: World, clock: Any) -> None:
    waitlist, one, two = world.waitlist(), world.consumer(), world.consumer()
    wait(waitlist, one, two)
    name = one.enter(waitlist).json()["id"]
    one.leave(waitlist)
    clock.shift(5)
    back = one.enter(waitlist).json()
    assert (back["enteredAt"], back["isEntered"]) == ("2026-12-01T09:00:05Z", True)
    assert back["id"] != name
    assert one.status(waitlist).json()["enteredAt"] == "2026-12-01T09:00:05Z"
    rows = Participation.objects.filter(distribution=waitlist, status="QUEUED").order_by("place")
    assert list(rows.values_list("consumer_id", flat=True)) == [two.id, one.id]


def test_metadata_is_kept_and_bounded(world: World, clock: Any) -> None:
    waitlist, guest = world.waitlist(), world.consumer()
    wait(waitlist, guest, size=42)
    assert Participation.objects.get().metadata == {"size": 42}
    answer = guest.post(f"{path_of(waitlist)}/enter", {"metadata": {"a": "x" * 3000}})
    assert_error(answer, 400, "Validation failed")


def test_no_fingerprint_is_asked_for(world: World, clock: Any) -> None:
    waitlist = world.waitlist()
    guest = world.consumer(Accept="application/json")
    assert guest.enter(waitlist).status_code == 200


def test_a_full_one_has_room_again_when_somebody_leaves(world: World, clock: Any) -> None:
    waitlist, one, two = world.waitlist(capacity=1), world.consumer(), world.consumer()
    wait(waitlist, one)
    body = assert_error(two.enter(waitlist), 429, "Waitlist is full", "WAITLIST_FULL")
    assert "next" not in body  # a waitlist is not followed by itself
    one.leave(waitlist)
    wait(waitlist, two)


def test_who_waits_goes_on_waiting_when_it_closes(world: World, clock: Any) -> None:
    waitlist, guest = world.waitlist(closes_in=5), world.consumer()
    wait(waitlist, guest)
    clock.shift(5)
    assert_error(world.consumer().enter(waitlist), 400, "Waitlist is closed", "WAITLIST_CLOSED")
    assert guest.status(waitlist).json()["isEntered"]
    assert guest.leave(waitlist).json()["status"] == "LEFT"


def test_who_was_denied_waits_no_more(world: World, clock: Any) -> None:
    waitlist = world.waitlist(max_entries_per_fingerprint=1)
    one, two = world.consumer(), world.consumer()
    wait(waitlist, one)
    body = two.enter(waitlist).json()
    assert (body["status"], body["denyReason"], body["isEntered"]) == ("DENIED", "DEVICE_LIMIT", False)
    assert two.status(waitlist).json() == {"waitlistId": waitlist.pk, "isEntered": False}
    assert_error(two.leave(waitlist), 409, "Illegal transition")


def test_another_shops_waitlist_is_not_there(world: World, clock: Any) -> None:
    theirs, guest = make_world("rival").waitlist(), world.consumer()
    for name in (theirs.pk, ids.new("wl"), world.queue().pk, "x"):
        for method, verb in (("POST", "enter"), ("GET", "status"), ("DELETE", "leave")):
            answer = guest.send(method, f"/waitlists/{name}/{verb}")
            assert_error(answer, 404, "Waitlist not found", "WAITLIST_NOT_FOUND")
    assert_error(guest.get(f"/queues/{world.waitlist().pk}/status"), 404, "Queue not found")


# --- In the whole ---------------------------------------------------------------------------------
def test_an_experience_shows_its_waitlist(world: World, clock: Any) -> None:
    waitlist = world.waitlist()
    world.queue(opens_in=60, closes_in=120)
    body = world.shop_front().get(f"/experiences/{world.sequence.experience_id}").json()
    assert body["sequences"][0]["waitlist"] == world.shop_front().get(path_of(waitlist)).json()
    assert "waitlists" not in body["sequences"][0]
    # A waitlist without times neither opens the experience nor keeps it open.
    assert (body["openAt"], body["closeAt"]) == ("2026-12-01T09:01:00Z", "2026-12-01T09:02:00Z")


def test_consumers_me_shows_what_the_status_says(
    world: World, clock: Any, django_assert_max_num_queries: Any
) -> None:
    lists = [world.waitlist(), *(make_elsewhere(world, number) for number in range(5))]
    (ada,) = members(world, "ada")
    for waitlist in lists:
        wait(waitlist, ada)
    news(lists[0])
    with django_assert_max_num_queries(14):
        active = ada.get("/consumers/me").json()["active"]
    assert set(active["waitlists"]) == {waitlist.pk for waitlist in lists}
    shown, said = active["waitlists"][lists[0].pk], ada.status(lists[0]).json()
    assert shown.pop("pollAfterSeconds") and said.pop("pollAfterSeconds")
    assert shown == said
    assert shown["notifiedAt"] == "2026-12-01T09:00:00Z"
    assert "notifiedAt" not in active["waitlists"][lists[1].pk]
    assert active["admissions"] == {}


def make_elsewhere(world: World, number: int) -> Any:
    """A waitlist of another sequence."""
    way = world.sequence_with(f"way-{number}")
    return World(world.organization, way, world.publishable, world.secret).waitlist()


@pytest.mark.parametrize("guest_first", [True, False])
def test_a_guests_entry_becomes_the_members_and_the_earlier_stays(
    world: World, clock: Any, guest_first: bool
) -> None:
    waitlist, guest = world.waitlist(), world.consumer()
    member = world.member(subject="ada")
    for one in (guest, member) if guest_first else (member, guest):
        wait(waitlist, one)
        clock.shift(5)
    name = (guest if guest_first else member).enter(waitlist).json()["id"]
    signed_in = world.member(subject="ada", guest=guest)
    body = signed_in.enter(waitlist).json()
    assert (body["enteredAt"], body["id"]) == ("2026-12-01T09:00:00Z", name)
    assert loaded(waitlist).tally.taken == 1
    assert signed_in.status(waitlist).json()["enteredAt"] == "2026-12-01T09:00:00Z"


def test_export_and_erasure(world: World, clock: Any, capsys: Any) -> None:
    waitlist, (ada, bea) = world.waitlist(), members(world, "ada", "bea")
    wait(waitlist, ada, bea, size=42)
    news(waitlist, sequence=world.sequence_with("vip"), code_seconds=600)
    call_command("consumers", "export", ada.id)
    printed = capsys.readouterr().out
    assert '"waitlistNotices"' in printed
    assert '"expiresAt": "2026-12-01T09:10:00Z"' in printed
    call_command("consumers", "erase", ada.id, "--yes")
    rows = {row.consumer_id: row for row in Participation.objects.filter(distribution=waitlist)}
    assert (rows[ada.id].status, rows[ada.id].metadata) == ("LEFT", None)
    assert rows[bea.id].status == "QUEUED"
    codes = {code.consumer_id: code for code in AccessCode.objects.filter(sequence__slug="vip")}
    assert codes[ada.id].revoked_at is not None
    assert codes[bea.id].revoked_at is None


# --- Unsubscribing --------------------------------------------------------------------------------
def test_looking_at_the_link_changes_nothing_and_its_button_leaves(world: World, clock: Any) -> None:
    waitlist, (ada,) = world.waitlist(), members(world, "ada")
    wait(waitlist, ada)
    news(waitlist)
    link, browser = link_for("ada"), Client(enforce_csrf_checks=True)
    page = browser.get(link)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert world.organization.name in page.content.decode()
    assert ada.status(waitlist).json()["isEntered"]
    for _ in range(2):
        done = browser.post(link)
        assert done.status_code == 200
        assert "You are off the list" in done.content.decode()
    assert not ada.status(waitlist).json()["isEntered"]
    assert trace(waitlist, ada.id)[-1] == ("left", f"consumer:{ada.id}")
    assert [name for name, _ in trace(waitlist, ada.id)] == ["entered", "notified", "left"]


def test_the_button_of_a_mail_program(world: World, clock: Any) -> None:
    waitlist, (ada,) = world.waitlist(), members(world, "ada")
    wait(waitlist, ada)
    news(waitlist)
    link = link_for("ada")
    headers = mails("ada")[0].extra_headers
    assert headers["List-Unsubscribe"].endswith(f"{link}>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    body = "List-Unsubscribe=One-Click"
    answer = Client(enforce_csrf_checks=True).post(link, body, "application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not ada.status(waitlist).json()["isEntered"]


def test_no_log_has_the_link(world: World, clock: Any, caplog: Any) -> None:
    waitlist, (ada,) = world.waitlist(), members(world, "ada")
    token = notifying.unsubscribe_url(waitlist.pk, ada.id).rpartition("/")[2]
    with caplog.at_level("DEBUG"):
        for method in (Client().get, Client().post):
            assert method(f"/unsubscribe/{token}").status_code == 200
    assert "/unsubscribe/…" in caplog.text
    assert token not in caplog.text


def test_a_link_is_of_one_waitlist_and_one_person(world: World, clock: Any) -> None:
    waitlist, other, (ada, bea) = world.waitlist(), make_elsewhere(world, 1), members(world, "ada", "bea")
    for one in (waitlist, other):
        wait(one, ada, bea)
    url = notifying.unsubscribe_url(waitlist.pk, ada.id)
    assert Client().post(url[url.index("/unsubscribe/") :]).status_code == 200
    assert not ada.status(waitlist).json()["isEntered"]
    assert ada.status(other).json()["isEntered"]
    assert bea.status(waitlist).json()["isEntered"]


def test_a_link_that_is_not_ours_is_a_page_that_is_not_there(world: World, clock: Any) -> None:
    waitlist, (ada,) = world.waitlist(), members(world, "ada")
    wait(waitlist, ada)
    good = notifying.unsubscribe_url(waitlist.pk, ada.id).partition("/unsubscribe/")[2]
    forged = ("x" if good[0] != "x" else "y") + good[1:]
    for token in (forged, good[:-1], "x", "é", "a:b:c", "x" * 10_000, good + "x" * 500):
        for method in (Client().get, Client().post):
            assert method(f"/unsubscribe/{token}").status_code == 404, token
    queue = notifying.unsubscribe_url(world.queue().pk, ada.id).partition("/unsubscribe/")[2]
    assert Client().post(f"/unsubscribe/{queue}").status_code == 404
    assert Client().delete(f"/unsubscribe/{good}").status_code == 405
    assert ada.status(waitlist).json()["isEntered"]
