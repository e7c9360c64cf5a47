"""Setting up a launch in the console: who may, what is refused, what the trace and the history tell."""

import datetime as dt

from django.urls import reverse

from distributions.core import switches
from distributions.core.models import Distribution
from experiences.models import Event, Experience, Membership, Organization, Sequence
from fanfare import clock as time
from tests.console.conftest import Console, messages_of
from tests.world import World

QUEUE = "distributions_distribution"


def last_event() -> Event:
    return Event.objects.filter(name="settings.changed").order_by("-id")[0]


def test_an_editor_sets_up_a_launch(editor: Console, world: World) -> None:
    editor.add("experiences_experience", organization=world.organization.pk, name="Spring", slug="spring")
    experience = Experience.objects.get(slug="spring")
    assert experience.organization == world.organization
    editor.add("experiences_sequence", experience=experience.pk, name="Fans", slug="fans", priority="2")
    sequence = Sequence.objects.get(slug="fans")
    assert (sequence.experience, sequence.priority) == (experience, 2)
    assert "First come" in editor.get(reverse(f"admin:{QUEUE}_add")).content.decode()
    page = editor.add(
        QUEUE, "?kind=queue", sequence=sequence.pk, name="Line", slug="line", capacity="500",
        admission_rate="60", open_at_0="2031-06-01", open_at_1="10:00:00", randomize_before_open="on",
    )  # fmt: skip
    assert "was added successfully" in messages_of(page), page.context["errors"]
    queue = Distribution.objects.get(slug="line")
    assert (queue.organization, queue.tally.places, queue.queue.admission_rate) == (
        world.organization,
        500,
        60,
    )
    assert len(queue.drawing.commitment) == 64
    event = last_event()
    assert (event.actor, event.distribution_id, event.data["after"]["capacity"]) == (
        editor.actor,
        queue.pk,
        500,
    )


def test_times_are_read_in_the_things_zone(editor: Console, world: World) -> None:
    Organization.objects.update(time_zone="Europe/Berlin")
    queue = world.queue()
    page = editor.open(QUEUE, queue).content.decode()
    assert "Time zone: Europe/Berlin." in page
    editor.save(QUEUE, queue, close_at_0="2031-06-01", close_at_1="10:00:00")
    queue.refresh_from_db()
    assert queue.close_at == dt.datetime(2031, 6, 1, 8, 0, tzinfo=dt.UTC)
    editor.save(QUEUE, queue, time_zone="America/New_York", close_at_0="2031-06-01", close_at_1="10:00:00")
    assert "Time zone: America/New_York." in editor.open(QUEUE, queue).content.decode()


def test_only_what_was_changed_is_written(editor: Console, world: World) -> None:
    queue = world.queue(closes_in=3600.123456, admission_rate=60)
    before = queue.close_at
    page = editor.save(QUEUE, queue, name="The long line", admission_rate="90")
    assert ">The long line</a>” was changed" in messages_of(page)
    queue = Distribution.objects.get(pk=queue.pk)
    assert (queue.name, queue.queue.admission_rate, queue.close_at) == ("The long line", 90, before)
    assert last_event().data["before"] == {"name": "The line", "admissionRate": 60}
    history = editor.get(reverse(f"admin:{QUEUE}_history", args=[queue.pk])).content.decode()
    assert "The long line" in history
    assert editor.user.username in history
    of_queue = editor.get(reverse("admin:distributions_queue_history", args=[queue.pk])).content.decode()
    assert "Admission rate" in of_queue
    count = Event.objects.count()
    assert "was changed" in messages_of(editor.save(QUEUE, queue))
    assert Event.objects.count() == count


def test_refused_settings_change_nothing(editor: Console, world: World) -> None:
    queue = world.queue(opens_in=3600, closes_in=7200, capacity=10)
    other = world.queue()
    for field, values in {
        "close_at": {"close_at_0": "2001-01-01", "close_at_1": "00:00:00"},
        "open_at": {"open_at_0": "0001-01-01", "open_at_1": "00:00:00"},
        "slug": {"slug": "Not a slug"},
        "capacity": {"capacity": "-1"},
        "admission_rate": {"admission_rate": "0"},
        "session_seconds": {"session_seconds": "99999999999999999999"},
        "time_zone": {"time_zone": "Mars/Base"},
    }.items():
        page = editor.save(QUEUE, queue, **values)
        assert field in page.context["adminform"].form.errors, (field, page.context["adminform"].form.errors)
    assert editor.save(QUEUE, queue, slug=other.slug).context["adminform"].form.errors
    for text in ('{"a": "\\u0000"}', '{"a": "\\ud800"}', "[" * 5000, "1e999", "9" * 5000, "{", "NaN"):
        page = editor.save(QUEUE, queue, metadata=text)
        assert page.status_code == 200
        assert "metadata" in page.context["adminform"].form.errors, text
    again = Distribution.objects.get(pk=queue.pk)
    assert (again.open_at, again.close_at, again.slug, again.metadata) == (
        queue.open_at, queue.close_at, queue.slug, queue.metadata,
    )  # fmt: skip
    assert not Event.objects.filter(name="settings.changed").exists()


def test_what_is_over_or_begun_is_fixed(editor: Console, world: World) -> None:
    queue = world.queue(opens_in=3600, closes_in=7200, randomize_before_open=True)
    assert (
        editor.open(QUEUE, queue).context["adminform"].form.fields["randomize_before_open"].disabled is False
    )
    switches.close(queue, now=time.now(), actor="system:test")
    before = Distribution.objects.get(pk=queue.pk)
    editor.save(QUEUE, queue, close_at_0="2031-06-01", close_at_1="10:00:00", name="Renamed")
    after = Distribution.objects.get(pk=queue.pk)
    assert (after.close_at, after.name) == (before.close_at, "Renamed")


def test_a_viewer_only_sees(viewer: Console, world: World) -> None:
    queue = world.queue(capacity=77)
    page = viewer.open(QUEUE, queue).content.decode()
    assert "77" in page
    assert "Show counts" not in viewer.list(QUEUE).content.decode()
    assert "Pause" not in page
    assert 'name="_save"' not in page
    for model, thing in ((QUEUE, queue), ("experiences_experience", world.sequence.experience)):
        url = reverse(f"admin:{model}_change", args=[thing.pk])
        assert viewer.post(url, name="Mine").status_code == 403
        assert viewer.get(reverse(f"admin:{model}_add")).status_code == 403
    assert viewer.get(reverse(f"admin:{QUEUE}_add") + "?kind=queue").status_code == 403


def test_organization_settings_are_the_owners(owner: Console, editor: Console, world: World) -> None:
    url = reverse("admin:experiences_organization_change", args=[world.organization.pk])
    assert editor.post(url, name="Mine").status_code == 403
    owner.save("experiences_organization", world.organization, name="New name", currency_code="USD")
    world.organization.refresh_from_db()
    assert (world.organization.name, world.organization.currency_code) == ("New name", "USD")
    assert owner.get(reverse("admin:experiences_organization_add")).status_code == 403
    bad = owner.save("experiences_organization", world.organization, allowed_origins="http://evil example")
    assert "allowed_origins" in bad.context["adminform"].form.errors


def test_nothing_moves_to_another_organization(editor: Console, world: World, other_world: World) -> None:
    theirs = other_world.organization
    page = editor.add("experiences_experience", organization=theirs.pk, name="Mine", slug="mine")
    assert "organization" in page.context["adminform"].form.errors
    page = editor.add(QUEUE, "?kind=queue", sequence=other_world.sequence.pk, name="Mine", slug="mine")
    assert "sequence" in page.context["adminform"].form.errors
    queue = world.queue()
    editor.save(QUEUE, queue, sequence=other_world.sequence.pk, organization=theirs.pk, name="Still ours")
    editor.save("experiences_experience", world.sequence.experience, organization=theirs.pk, name="Ours")
    queue.refresh_from_db()
    assert (queue.sequence, queue.name) == (world.sequence, "Still ours")
    assert Experience.objects.get(pk=world.sequence.experience_id).organization == world.organization


def test_a_role_counts_where_it_was_given(editor: Console, world: World, other_world: World) -> None:
    """An editor here who is a viewer there edits here and looks there."""
    Membership.objects.create(user=editor.user, organization=other_world.organization, role="viewer")
    theirs = other_world.queue()
    assert editor.open(QUEUE, theirs).status_code == 200
    assert editor.post(reverse(f"admin:{QUEUE}_change", args=[theirs.pk]), name="Mine").status_code == 403
    assert editor.press(QUEUE, theirs, "pause").status_code == 403
    page = editor.add(QUEUE, "?kind=queue", sequence=other_world.sequence.pk, name="Mine", slug="mine")
    assert "sequence" in page.context["adminform"].form.errors


def test_an_earlier_version_is_only_to_look_at(owner: Console, world: World, stranger: Console) -> None:
    owner.save("experiences_organization", world.organization, name="New name")
    first = world.organization.history.earliest()
    url = reverse("admin:experiences_organization_simple_history", args=[world.organization.pk, first.pk])
    assert world.organization.name in owner.get(url).content.decode()
    assert owner.post(url, name="Back").status_code == 404
    assert stranger.get(url).headers["Location"] == "/admin/"
    assert Organization.objects.get(pk=world.organization.pk).name == "New name"
