"""A message from staff: on the page of all who wait or are inside, of any kind, until it is taken back."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distributions.core.models import Distribution
from experiences.models import Event
from tests.appointments import TOMORROW, booked, on
from tests.console.conftest import Console, messages_of
from tests.console.pages import DISTRIBUTION
from tests.lines import admit, deny
from tests.world import ConsumerClient, World, loaded, make_world, path_of

TEXT = "The next hundred are let in at noon."
KINDS = ["queue", "draw", "auction", "release", "appointment", "waitlist"]


def begin(world: World, kind: str) -> tuple[Distribution, ConsumerClient]:
    """A distribution of that kind, and somebody who waits or is inside."""
    made: Distribution = getattr(world, kind)()
    guest = world.consumer()
    if kind == "auction":
        assert guest.bid(made, "100.00").status_code == 200
    elif kind == "appointment":
        booked(made, guest, on(TOMORROW, "09:00"))
    else:
        assert guest.enter(made).status_code == 200
    return made, guest


def shown(world: World, distribution: Distribution) -> Any:
    return world.shop_front().get(path_of(distribution)).json().get("message")


def told(guest: ConsumerClient, distribution: Distribution) -> Any:
    return guest.status(distribution).json().get("message")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_tells_it(kind: str, editor: Console, world: World) -> None:
    distribution, guest = begin(world, kind)
    assert (shown(world, distribution), told(guest, distribution)) == (None, None)
    page = editor.press(DISTRIBUTION, distribution, "message", message=f"  {TEXT}\r\n ")
    assert "All who wait or are inside are told" in messages_of(page)
    assert (shown(world, distribution), told(guest, distribution)) == (TEXT, TEXT)
    inside = guest.get("/consumers/me").json()["active"]
    assert [body["message"] for bodies in inside.values() for body in bodies.values()].count(TEXT) >= 1
    experience = world.shop_front().get(f"/experiences/{world.sequence.experience_id}").json()
    assert TEXT in str(experience["sequences"])
    form = editor.get(editor_url(distribution)).context["form"]
    assert form.initial["message"] == TEXT
    page = editor.press(DISTRIBUTION, distribution, "message", message="")
    assert "Nothing is said any more" in messages_of(page)
    assert (shown(world, distribution), told(guest, distribution)) == (None, None)
    rows = Event.objects.filter(name="settings.changed", distribution_id=distribution.pk).order_by("id")
    assert [(row.actor, row.data["before"], row.data["after"]) for row in rows] == [
        (editor.actor, {"message": ""}, {"message": TEXT}),
        (editor.actor, {"message": TEXT}, {"message": ""}),
    ]


def editor_url(distribution: Distribution) -> str:
    return f"/admin/distributions/distribution/{distribution.pk}/press/message/"


def test_only_who_waits_or_is_inside_reads_it(editor: Console, world: World) -> None:
    queue = world.queue()
    people = [world.consumer() for _ in range(4)]
    for one in people:
        one.enter(queue)
    admit(queue, people[1].id)
    deny(queue, people[2].id)
    people[3].leave(queue)
    editor.press(DISTRIBUTION, queue, "message", message=TEXT)
    assert [told(one, queue) for one in people] == [TEXT, TEXT, None, None]
    editor.press(DISTRIBUTION, queue, "close", reason="Over")  # what was said to those inside stays
    assert [told(one, queue) for one in people] == [None, TEXT, None, None]
    assert "Nothing" in messages_of(editor.press(DISTRIBUTION, queue, "message", message=""))


def test_a_message_costs_a_status_no_query(world: World) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    counts = []
    for message in ("", TEXT):
        Distribution.objects.filter(pk=queue.pk).update(message=message)
        with CaptureQueriesContext(connection) as queries:
            assert told(guest, queue) == (message or None)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_its_length_and_what_is_no_text(editor: Console, world: World) -> None:
    queue = world.queue()
    page = editor.press(DISTRIBUTION, queue, "message", message="x" * 281)
    assert "message" in page.context["form"].errors
    assert editor.press(DISTRIBUTION, queue, "message", message="a\x00b").status_code == 400
    assert loaded(queue).message == ""
    editor.press(DISTRIBUTION, queue, "message", message="x" * 280)
    assert loaded(queue).message == "x" * 280
    assert "<b>" not in editor.press(DISTRIBUTION, queue, "message", message="<b>now</b>").content.decode()
    assert shown(world, queue) == "<b>now</b>"  # plain text; whoever shows it escapes it


def test_who_may_say_something(viewer: Console, stranger: Console, owner: Console, world: World) -> None:
    queue = world.queue()
    assert viewer.press(DISTRIBUTION, queue, "message", message=TEXT).status_code == 403
    assert "doesn’t exist" in messages_of(stranger.press(DISTRIBUTION, queue, "message", message=TEXT))
    assert loaded(queue).message == ""
    owner.press(DISTRIBUTION, queue, "message", message=TEXT)
    assert loaded(queue).message == TEXT
    assert make_world().queue().message == ""


def test_a_drops_file_says_it(world: World, tmp_path: Path) -> None:
    file = tmp_path / "drop.yaml"

    def apply(message: str) -> None:
        file.write_text(
            f"organization: {{slug: {world.organization.slug}}}\n"
            "experiences: [{slug: drop, sequences: [{slug: everyone, queues: "
            f"[{{slug: line, name: Line, message: {message}}}]}}]}}]"
        )
        call_command("apply", str(file), verbosity=0)

    apply(TEXT)
    assert Distribution.objects.get(slug="line").message == TEXT
    apply("null")
    assert Distribution.objects.get(slug="line").message == ""
