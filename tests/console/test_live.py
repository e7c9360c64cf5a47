"""The live page of every kind: what it shows and costs, whom it finds, what is done from it and why."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from distributions.core import figures
from distributions.core.models import Distribution, Participation
from experiences import access_codes
from experiences.models import Event
from fanfare import clock as time
from tests.appointments import TODAY, TOMORROW, booked, on
from tests.console.conftest import Console, messages_of
from tests.console.pages import DISTRIBUTION, text_of
from tests.console.test_message import KINDS, begin
from tests.lines import admit, complete
from tests.waitlists import members
from tests.world import World, loaded

pytestmark = pytest.mark.usefixtures("clock")


def url_of(distribution: Distribution, button: str = "live") -> str:
    return reverse(f"admin:{DISTRIBUTION}_press", args=[distribution.pk, button])


def live(console: Console, distribution: Distribution, **query: Any) -> Any:
    return console.get(url_of(distribution), **query)


def cards(page: Any) -> dict[str, str]:
    return {title: plain(number) for title, number, _ in page.context["watched"].cards}


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def lines(page: Any) -> dict[str, list[int]]:
    """Each line of each chart, minute by minute."""
    return {name: list(values) for chart in page.context["watched"].charts for name, values in chart.lines}


def from_live(who: Console, distribution: Distribution, button: str, **body: Any) -> Any:
    """Press a button as the live page has it."""
    return who.client.post(f"{url_of(distribution, button)}?from=live", body, follow=True)


# --- What it shows --------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_one(kind: str, viewer: Console, editor: Console, world: World) -> None:
    distribution, _ = begin(world, kind)
    page = live(viewer, distribution)
    assert page.status_code == 200
    assert all(button.reads for button, _ in page.context["buttons"])  # a viewer sees
    watched = page.context["watched"]
    assert len(watched.cards) >= 6
    assert all(len(values) == 60 for chart in watched.charts for _, values in chart.lines)
    assert sum(map(sum, lines(page).values())) >= 1  # who came is in a chart
    assert "no-store" in page.headers["Cache-Control"]
    part = live(viewer, distribution, part="1")
    assert "<html" not in text_of(part)
    assert text_of(part).count("<canvas") == len(watched.charts)
    assert "message" in [button.name for button, _ in live(editor, distribution).context["buttons"]]
    assert url_of(distribution) in text_of(viewer.open(DISTRIBUTION, distribution))


def test_a_queues_numbers(viewer: Console, world: World, clock: Any) -> None:
    queue = world.queue(admission_rate=30, max_active=9, session_seconds=600)
    people = [world.consumer() for _ in range(6)]
    for one in people:
        one.enter(queue)
    for one in people[:3]:
        admit(queue, one.id)
    complete(queue, people[0].id)
    people[1].leave(queue)
    people[3].leave(queue)
    clock.shift(60)
    found = cards(live(viewer, queue))
    assert found == {
        "Waiting": "2", "Wait now": "6 s",  # the third in line, 30 a minute
        "Came": "6", "Let in": "3", "Admitted": "3", "Inside": "1", "Completed": "1", "No-shows": "1",
        "Denied": "0", "Left": "2",
    }  # fmt: skip
    page = live(viewer, queue)
    assert (lines(page)["Came"][-3:], lines(page)["Admitted"][-3:]) == ([0, 6, 0], [0, 3, 0])
    shown = page.context["charts"][0]
    assert "Came: 6 in the last whole minute, 6 in the hour" in shown["told"]
    assert shown["rows"][1] == ("09:00", 6, 3)  # also as a table, the latest first


def test_a_draw_counts_down(viewer: Console, world: World, clock: Any) -> None:
    draw = world.draw(draws_in=90, closes_in=60)
    world.consumer().enter(draw)
    spoken = cards(live(viewer, draw))
    assert (spoken["Entries"], spoken["Entries close in"].replace("\N{NO-BREAK SPACE}", " ")) == (
        "1",
        "1 min 0 s",
    )
    clock.shift(61)
    assert "Draw in" in cards(live(viewer, draw))


def test_a_release_says_when_it_is_gone(viewer: Console, world: World, clock: Any) -> None:
    release = world.release(inventory=12)
    for _ in range(10):
        world.consumer().enter(release)
    clock.shift(60)
    found = cards(live(viewer, release))
    assert (found["Available"], found["Claimed"]) == ("2", "10")
    assert found["Gone in"] == "1 min 0 s"  # ten in five minutes


def test_an_appointments_day(viewer: Console, world: World) -> None:
    appointment = world.appointment(places_per_slot=2)
    booked(appointment, world.consumer(), on(TODAY, "10:00"))
    booked(appointment, world.consumer(), on(TOMORROW, "10:00"))
    page = live(viewer, appointment)
    assert (cards(page)["Today"], cards(page)["Booked ahead"]) == ("1", "2")
    slots = [tuple(cell.text for cell in row) for row in page.context["watched"].table.rows]
    assert slots[:3] == [
        ("Tue 09:00", "0 of 2", "under way"),
        ("Tue 09:30", "0 of 2", "free"),
        ("Tue 10:00", "1 of 2", "free"),
    ]  # fmt: skip


# --- What it costs --------------------------------------------------------------------------------
def test_figures_are_what_the_trace_has_however_they_are_counted(world: World, clock: Any) -> None:
    """Looked at every half minute, or once at the end: the same, with what was committed late."""
    queue = world.queue()
    counted: list[int] = []
    for step in range(12):
        for _ in range(step % 4):
            world.consumer().enter(queue)
        now = time.now()
        if step == 7:  # written only now, by a transaction that began a minute and a half ago
            event = Event.objects.filter(name="queue.consumer.entered").values().first()
            assert event is not None
            Event.objects.create(**{**event, "id": None, "at": now - dt.timedelta(seconds=90)})
        counted = figures.of(queue.pk, now).of("queue.consumer.entered")
        clock.shift(30)
    figures._counted.clear()
    anew = figures.of(queue.pk, now).of("queue.consumer.entered")
    assert (counted, sum(anew)) == (anew, 3 * (1 + 2 + 3) + 1)


def test_a_minute_that_is_over_is_not_counted_again(world: World, clock: Any) -> None:
    queue = world.queue()
    for _ in range(5):
        world.consumer().enter(queue)
        figures.of(queue.pk, time.now())
        clock.shift(60)
    with CaptureQueriesContext(connection) as queries:
        figures.of(queue.pk, time.now())
    (counting,) = [query["sql"] for query in queries if "GROUP BY" in query["sql"]]
    first = Event.objects.filter(name="queue.consumer.entered").order_by("id")[2].pk
    floor = int(counting.partition('"id" > ')[2].split(" ")[0].rstrip(")"))
    assert Event.objects.order_by("id")[0].pk < floor < first


def test_looking_anew_costs_few_queries_and_ten_cost_as_one(
    viewer: Console, world: World, clock: Any, settings: Any, django_assert_max_num_queries: Any
) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    with django_assert_max_num_queries(14):
        live(viewer, queue, part="1")
    settings.MEMO_SECONDS = 1.0
    live(viewer, queue, part="1")
    with CaptureQueriesContext(connection) as queries:
        for _ in range(10):
            live(viewer, queue, part="1")
    assert not [query for query in queries if "GROUP BY" in query["sql"]]
    world.consumer().enter(queue)
    clock.shift(1)
    assert cards(live(viewer, queue))["Waiting"] == "2"


# --- Whom it finds --------------------------------------------------------------------------------
def test_somebody_is_looked_up_by_whatever_is_known_of_them(
    viewer: Console, world: World, other_world: World
) -> None:
    queue, (ada,) = world.queue(admission_rate=60), members(world, "ada")
    first = world.consumer()
    for one in (first, ada):
        one.enter(queue)
    (code,) = access_codes.generate(world.sequence, 1, now=time.now(), actor="staff:1", max_uses=1)
    world.shop_front()
    visit = f"/experiences/{world.sequence.experience_id}/enter"
    assert ada.post(visit, {"accessCode": code}).status_code == 200
    for who in (ada.id, "Ada@Example.com", code.lower(), f" {ada.id} "):
        page = live(viewer, queue, who=who)
        (found,) = page.context["found"]
        assert (found.participation.consumer_id, found.word) == (ada.id, "Queued"), who
        assert plain(found.details) == "position 2, about 2 s to go"
        participation = reverse("admin:distributions_participation_change", args=[found.participation.pk])
        assert participation in text_of(page)
    stranger = other_world.consumer()
    stranger.enter(other_world.queue())
    for nobody in (stranger.id, "bob@example.com", "+4930", "ZZZZ-ZZZZ", "%", "cons_", "<script>"):
        page = live(viewer, queue, who=nobody)
        assert page.context["found"] == [], nobody
        assert "takes part here" in text_of(page)
        assert "<script>”" not in text_of(page)


def test_a_booking_is_found_by_its_code(viewer: Console, world: World) -> None:
    appointment, guest = world.appointment(), world.consumer()
    code = booked(appointment, guest, on(TOMORROW, "09:00"))["confirmationCode"]
    (found,) = live(viewer, appointment, who=f"{code[:4]}-{code[4:]}".lower()).context["found"]
    assert (found.participation.consumer_id, code in found.details) == (guest.id, True)
    assert live(viewer, world.appointment(), who=code).context["found"] == []


# --- What is done from it -------------------------------------------------------------------------
def test_steering_from_the_live_page_leaves_who_and_why(editor: Console, world: World) -> None:
    queue = world.queue(admission_rate=60)
    people = [world.consumer() for _ in range(3)]
    for one in people:
        one.enter(queue)
    deeds: list[tuple[str, dict[str, str]]] = [
        ("pause", {}), ("resume", {}), ("pace", {"admission_rate": "120", "max_active": "50"}),
        ("admit", {"number": "1"}), ("message", {"message": "Soon."}),
    ]  # fmt: skip
    for button, body in deeds:
        page = from_live(editor, queue, button, **body, reason=f"Because of {button}")
        assert page.request["PATH_INFO"] == url_of(queue), button  # back where one came from
        assert messages_of(page)
    told = Event.objects.filter(actor=editor.actor).order_by("id").values_list("name", "data__reason")
    assert list(told) == [
        ("queue.paused", "Because of pause"),
        ("queue.resumed", "Because of resume"),
        ("settings.changed", "Because of pace"),
        ("queue.consumer.admitted", "Because of admit"),
        ("settings.changed", "Because of message"),
    ]
    changed = loaded(queue)
    assert (changed.queue.admission_rate, changed.queue.max_active) == (120, 50)
    assert people[1].status(queue).json()["estimatedWaitTimeInSeconds"] == 1  # at once
    world.consumer().enter(queue)
    event = Event.objects.order_by("-id")[0]
    assert (event.name, "reason" in event.data) == ("queue.consumer.entered", False)  # nobody else's deed


def test_a_reason_is_asked_where_it_takes_something_away(editor: Console, world: World) -> None:
    queue = world.queue()
    assert not editor.get(url_of(queue, "pause")).context["form"].fields["reason"].required
    assert editor.get(url_of(queue, "close")).context["form"].fields["reason"].required
    page = from_live(editor, queue, "close", reason=" ")
    assert "reason" in page.context["form"].errors
    assert loaded(queue).closed_at is None
    assert messages_of(from_live(editor, queue, "pause"))  # without one
    assert "reason" not in Event.objects.get(name="queue.paused").data
    assert "reason" in from_live(editor, queue, "close", reason="x" * 201).context["form"].errors


def test_close_as_sold_out(editor: Console, world: World) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    form = editor.get(url_of(queue, "sold-out")).context["form"]
    assert (form.initial["reason"], form.fields["message"].initial) == (
        "Sold out", "Sold out. Thank you for waiting.",
    )  # fmt: skip
    page = from_live(editor, queue, "sold-out", message="All gone.", reason="Sold out")
    assert ("Closed as sold out" in messages_of(page), page.context["phase"]) == (True, "CLOSED")
    assert guest.status(queue).json()["denyReason"] == "QUEUE_CLOSED"
    assert world.shop_front().get(f"/queues/{queue.pk}").json()["message"] == "All gone."
    closed = Event.objects.get(name="queue.closed")
    assert (closed.actor, closed.data["reason"]) == (editor.actor, "Sold out")


def test_an_odd_rate_is_refused_in_words(editor: Console, world: World) -> None:
    queue = world.queue(admission_rate=60)
    for wrong in ("0", "-1", "x", "99999999999"):
        page = from_live(editor, queue, "pace", admission_rate=wrong, max_active="")
        assert "admission_rate" in page.context["form"].errors, wrong
    assert loaded(queue).queue.admission_rate == 60


def test_from_leads_nowhere_else(editor: Console, world: World) -> None:
    queue = world.queue()
    for origin in ("https://evil.example", "close", "../../", ""):
        page = editor.client.post(f"{url_of(queue, 'message')}?from={origin}", {"message": "x"})
        assert page.headers["Location"] == reverse(f"admin:{DISTRIBUTION}_change", args=[queue.pk])


@pytest.mark.parametrize("kind", KINDS)
def test_roles_and_walls(kind: str, viewer: Console, stranger: Console, owner: Console, world: World) -> None:
    distribution, guest = begin(world, kind)
    for query in ({}, {"part": "1"}, {"who": guest.id}):
        assert stranger.get(url_of(distribution), **query).headers["Location"] == "/admin/"
        assert Client().get(url_of(distribution), query).headers["Location"].startswith("/admin/login/")
        assert viewer.get(url_of(distribution), **query).status_code == 200
    buttons = [button.name for button, _ in live(owner, distribution).context["buttons"]]
    acting = [name for name in buttons if name not in ("proof", "calendar")]
    assert "message" in acting
    for name in acting:
        assert viewer.client.post(url_of(distribution, name), {"reason": "x"}).status_code == 403, name
    assert Participation.objects.get().status in ("QUEUED", "ADMITTED")
    assert not Event.objects.filter(actor__startswith="staff:").exists()
