"""Waitlists at the console: adding one, telling those who wait, pause, resume, close, what follows."""

from typing import Any

import pytest
from django.urls import reverse

from distributions import tasks
from distributions.core.models import Distribution, Participation
from distributions.waitlists.models import Notification
from experiences.models import AccessCode, Event, Sequence
from tests.console.conftest import Console, messages_of
from tests.console.pages import (
    DISTRIBUTION,
    PARTICIPATION,
    locked,
    notes,
    numbers,
    offered,
    text_of,
    wrong,
)
from tests.waitlists import members, news, offering, outcomes, told, wait
from tests.world import World, assert_error, loaded, make_release

ADD = reverse(f"admin:{DISTRIBUTION}_add")
NOTIFICATION = "distributions_notification"
SEQUENCE = "experiences_sequence"


def ask(who: Console, waitlist: Distribution) -> Any:
    """The page between the button and its deed."""
    return who.get(reverse(f"admin:{DISTRIBUTION}_press", args=[waitlist.pk, "notify"]))


def notify(who: Console, waitlist: Distribution, **values: Any) -> Any:
    """Fill the form, and send it."""
    return who.press(DISTRIBUTION, waitlist, "notify", **{"text": "There is news.", "hours": "24", **values})


# --- Settings -------------------------------------------------------------------------------------
def test_an_editor_adds_a_waitlist(editor: Console, world: World) -> None:
    assert "Waitlist" in text_of(editor.get(ADD))
    form = editor.get(ADD + "?kind=waitlist").context["adminform"].form
    assert {"capacity", "mode", "offer_sequence", "offer_seconds", "supports_guest"} <= set(form.fields)
    assert all(form.fields[name].help_text for name in ("capacity", "offer_sequence", "offer_seconds"))
    page = editor.add(
        DISTRIBUTION, "?kind=waitlist", sequence=world.sequence.pk, name="Later", slug="later", capacity="500"
    )
    assert "was added successfully" in messages_of(page), page.context["errors"]
    found = loaded(Distribution.objects.get(slug="later"))
    assert (found.kind, found.tally.places, found.waitlist.mode) == ("waitlist", 500, "notify")
    event = Event.objects.get(name="settings.changed", distribution_id=found.pk)
    assert (event.actor, event.data["after"]["capacity"]) == (editor.actor, 500)


def test_one_waitlist_is_enough(editor: Console, world: World) -> None:
    world.waitlist()
    page = editor.add(
        DISTRIBUTION, "?kind=waitlist", sequence=world.sequence.pk, name="Another", slug="another"
    )
    assert "one waitlist at most" in text_of(page)
    assert Distribution.objects.count() == 1


def test_from_telling_to_offering(editor: Console, world: World, other_world: World) -> None:
    waitlist, way = world.waitlist(), world.sequence_with("second")
    page = editor.open(DISTRIBUTION, waitlist)
    choices = page.context["adminform"].form.fields["offer_sequence"].queryset
    assert list(choices) == [way]
    assert "Second, of Drop" in text_of(page)
    assert wrong(editor.save(DISTRIBUTION, waitlist, mode="offer")) == ["offer_sequence", "offer_seconds"]
    page = editor.save(DISTRIBUTION, waitlist, mode="offer", offer_sequence=way.pk, offer_seconds="600")
    assert "was changed" in messages_of(page)
    found = loaded(waitlist)
    assert (found.waitlist.mode, found.waitlist.offer_sequence_id, found.supports_guest) == (
        "offer",
        way.pk,
        False,
    )
    way.refresh_from_db()
    assert way.requires_access_code
    event = Event.objects.get(name="settings.changed", data__object=way.pk)
    assert (event.actor, event.data["after"]) == (editor.actor, {"requiresAccessCode": True})
    assert wrong(editor.save(DISTRIBUTION, waitlist, supports_guest="on")) == ["supports_guest"]
    bad = {"offer_sequence": other_world.sequence.pk}
    assert wrong(editor.save(DISTRIBUTION, waitlist, **bad)) == ["offer_sequence"]
    history = editor.get(reverse("admin:distributions_waitlist_history", args=[waitlist.pk]))
    assert history.status_code == 200


@pytest.mark.parametrize(
    ("field", "text"),
    [("capacity", "-1"), ("capacity", "x"), ("mode", "zz"), ("offer_seconds", "9"), ("offer_seconds", "x")],
)
def test_what_is_wrong_stands_at_its_field(editor: Console, world: World, field: str, text: str) -> None:
    waitlist = world.waitlist(capacity=5)
    assert wrong(editor.save(DISTRIBUTION, waitlist, **{field: text})) == [field]
    assert loaded(waitlist).tally.places == 5


# --- Its page -------------------------------------------------------------------------------------
def test_the_numbers(viewer: Console, world: World, clock: Any) -> None:
    waitlist, way = offering(world, capacity=50)
    ada, bea, cem = members(world, "ada", "bea", "cem")
    wait(waitlist, ada, bea, cem)
    page = viewer.open(DISTRIBUTION, waitlist)
    assert numbers(page) == {"Waiting": "3", "Entered": "3", "Notices": "0"}
    assert (notes(page)["Waiting"], page.context["phase"]) == ("of 50", "OPEN")
    make_release(way, inventory=2)
    tasks.tick_waitlists()
    ada.leave(waitlist)
    tasks.tick_waitlists()
    assert numbers(viewer.open(DISTRIBUTION, waitlist)) == {
        "Waiting": "2", "Entered": "3", "Notices": "2", "Open offers": "1", "Claimed": "0", "Lapsed": "1",
    }  # fmt: skip


def test_pause_resume_and_close(editor: Console, world: World, clock: Any) -> None:
    waitlist, guest = world.waitlist(), world.consumer()
    wait(waitlist, guest)
    assert offered(editor.open(DISTRIBUTION, waitlist)) == ["notify", "pause", "close"]
    page = editor.press(DISTRIBUTION, waitlist, "pause")
    assert (page.context["phase"], offered(page)) == ("PAUSED", ["notify", "resume", "close"])
    assert_error(world.consumer().enter(waitlist), 400, "Waitlist is closed", "WAITLIST_PAUSED")
    editor.press(DISTRIBUTION, waitlist, "resume")
    page = editor.press(DISTRIBUTION, waitlist, "close", reason="Over")
    assert "Who waits stays" in messages_of(page)
    assert (page.context["phase"], offered(page)) == ("CLOSED", ["notify"])
    assert {"open_at", "close_at", "capacity"} <= locked(page)
    assert guest.status(waitlist).json()["isEntered"]
    rows = Event.objects.filter(distribution_id=waitlist.pk, consumer_id=None).order_by("id")
    names = ["waitlist.paused", "waitlist.resumed", "waitlist.closed"]
    assert list(rows.values_list("name", "actor")) == [(name, editor.actor) for name in names]


# --- Telling those who wait -----------------------------------------------------------------------
def test_everyone_is_told(editor: Console, world: World, clock: Any) -> None:
    waitlist, (ada, bea) = world.waitlist(), members(world, "ada", "bea")
    wait(waitlist, ada, bea)
    assert "By mail or SMS" in text_of(ask(editor, waitlist))
    page = notify(editor, waitlist, text="Tea.\r\n\r\nAt nine.")
    assert "They are being told" in messages_of(page)
    made = Notification.objects.get()
    assert (made.actor, made.limit, made.code_seconds) == (editor.actor, None, None)
    listed = text_of(editor.list(NOTIFICATION, distribution__id__exact=waitlist.pk))
    assert "under way" in listed
    assert "Everyone" in listed
    tasks.tick_waitlists()
    assert told(waitlist) == [ada.id, bea.id]
    listed = text_of(editor.list(NOTIFICATION, q=waitlist.pk))
    assert ("done" in listed, "Tea. At nine." in listed, editor.actor in listed) == (True, True, True)
    assert "At nine." in text_of(editor.open(NOTIFICATION, made))
    links = dict(editor.open(DISTRIBUTION, waitlist).context["links"])
    assert "Everyone" in text_of(editor.get(links["Notifications"]))


def test_the_next_few_of_a_segment_with_a_code(editor: Console, world: World, clock: Any) -> None:
    waitlist, way, people = world.waitlist(), world.sequence_with("vip"), members(world, "a", "b", "c")
    for size, one in zip((42, 43, 42), people, strict=True):
        wait(waitlist, one, size=size)
    values = {"limit": "1", "metadata_name": "size", "metadata_value": "42", "sequence": way.pk, "hours": "2"}
    assert "being told" in messages_of(notify(editor, waitlist, **values))
    tasks.tick_waitlists()
    assert told(waitlist) == [people[0].id]
    made = Notification.objects.get()
    assert (made.sequence, made.code_seconds, made.limit) == (way, 7200, 1)
    assert "The next 1 with size = 42" in text_of(editor.list(NOTIFICATION))
    found = text_of(editor.list("experiences_accesscode", q=people[0].id))
    assert "1 access code" in found
    assert people[0].id in text_of(editor.open("experiences_accesscode", AccessCode.objects.get()))
    row = Participation.objects.get(consumer_id=people[0].id)
    said = text_of(editor.open(PARTICIPATION, row))
    assert "Notified at" in said
    assert "the code is good until" in said
    other = Participation.objects.get(consumer_id=people[1].id)
    assert "Not notified yet" in text_of(editor.open(PARTICIPATION, other))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 1001}, "text"),
        ({"limit": "0"}, "limit"),
        ({"metadata_value": "42"}, "metadata_name"),
        ({"hours": "0"}, "hours"),
        ({"hours": "721"}, "hours"),
        ({"sequence": "seq_zz"}, "sequence"),
        ({"hours": "", "sequence": "vip"}, "hours"),
        ({"sequence": "rival"}, "sequence"),
    ],
)
def test_what_is_wrong_with_the_news(
    editor: Console, world: World, other_world: World, values: dict[str, str], field: str
) -> None:
    waitlist, vip = world.waitlist(), world.sequence_with("vip")
    known = {"vip": vip.pk, "rival": other_world.sequence.pk}
    chosen = values.get("sequence")
    page = notify(
        editor, waitlist, **{**values, **({"sequence": known.get(chosen, chosen)} if chosen else {})}
    )
    assert list(page.context["form"].errors) == [field]
    assert not Notification.objects.exists()
    vip.refresh_from_db()
    assert not vip.requires_access_code


def test_what_was_told_can_not_be_changed(editor: Console, world: World, clock: Any) -> None:
    waitlist = world.waitlist()
    wait(waitlist, world.consumer())
    made = news(waitlist)
    page = editor.open(NOTIFICATION, made)
    assert not page.context["has_change_permission"]
    url = reverse(f"admin:{NOTIFICATION}_change", args=[made.pk])
    assert editor.client.post(url, {"text": "Other"}).status_code == 403
    made.refresh_from_db()
    assert made.text == "There is news."


def test_participations(editor: Console, world: World, clock: Any) -> None:
    waitlist, way = offering(world)
    ada, bea = members(world, "ada", "bea")
    wait(waitlist, ada, bea)
    make_release(way, inventory=1)
    tasks.tick_waitlists()
    row = Participation.objects.get(consumer_id=ada.id)
    page = editor.open(PARTICIPATION, row)
    assert "the offer is open" in text_of(page)
    assert offered(page) == ["deny"]  # nobody is admitted here
    editor.press(PARTICIPATION, row, "deny", reason="FRAUD_DETECTED")
    tasks.tick_waitlists()
    assert outcomes(waitlist) == ["lapsed"]
    assert "the offer is lapsed" in text_of(editor.open(PARTICIPATION, row))


# --- What follows a sequence ----------------------------------------------------------------------
def test_what_follows_a_sequence(editor: Console, world: World, other_world: World) -> None:
    way = world.sequence_with("later")
    elsewhere = world.sequence_in("club")
    page = editor.open(SEQUENCE, world.sequence)
    choices = page.context["adminform"].form.fields["next"].queryset
    assert list(choices) == [way]
    assert "was changed" in messages_of(editor.save(SEQUENCE, world.sequence, next=way.pk))
    assert Sequence.objects.get(pk=world.sequence.pk).next == way
    event = Event.objects.get(name="settings.changed", data__object=world.sequence.pk)
    assert (event.actor, event.data["after"]) == (editor.actor, {"next": way.pk})
    for other in (elsewhere, other_world.sequence, world.sequence):
        assert wrong(editor.save(SEQUENCE, world.sequence, next=other.pk)) == ["next"]
    assert "was changed" in messages_of(editor.save(SEQUENCE, world.sequence, next=""))
    page = editor.add(
        SEQUENCE, experience=world.sequence.experience_id, name="New", slug="new", priority="0",
        next=elsewhere.pk,
    )  # fmt: skip
    assert wrong(page) == ["next"]


# --- Who may not ----------------------------------------------------------------------------------
def test_a_viewer_only_looks(viewer: Console, world: World, clock: Any) -> None:
    waitlist = world.waitlist()
    page = viewer.open(DISTRIBUTION, waitlist)
    assert (page.status_code, offered(page)) == (200, [])
    text = text_of(page)
    assert all(label in text for label in ("Capacity", "Mode", "Offer sequence"))
    for button in ("notify", "pause", "close"):
        viewer.press(DISTRIBUTION, waitlist, button, text="News", hours="24")
    assert not Notification.objects.exists()
    assert (loaded(waitlist).paused_at, loaded(waitlist).closed_at) == (None, None)


def test_another_tenant_is_not_let_near(stranger: Console, world: World, clock: Any) -> None:
    waitlist = world.waitlist()
    wait(waitlist, world.consumer())
    made = news(waitlist)
    stranger.press(DISTRIBUTION, waitlist, "notify", text="News", hours="24")
    assert Notification.objects.count() == 1
    assert "There is news." not in text_of(stranger.list(NOTIFICATION))
    answer = stranger.client.get(reverse(f"admin:{NOTIFICATION}_change", args=[made.pk]))
    assert answer.status_code == 302
