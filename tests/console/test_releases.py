"""Timed releases at the console: adding one, its live stock, pause, resume, close, who takes part."""

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from distributions.core.models import Distribution, Participation
from experiences.models import Event
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
from tests.releases import claim, claimed, move, require_sold_out, require_true_stock, shown, units
from tests.world import World, assert_error, loaded

ADD = reverse(f"admin:{DISTRIBUTION}_add")


def traced(release: Distribution) -> list[tuple[str, str]]:
    rows = Event.objects.filter(distribution_id=release.pk, consumer_id=None).order_by("id")
    return list(rows.values_list("name", "actor"))


# --- Settings -------------------------------------------------------------------------------------
def test_an_editor_adds_a_release(editor: Console, world: World) -> None:
    assert "Timed release" in text_of(editor.get(ADD))
    form = editor.get(ADD + "?kind=timed_release").context["adminform"].form
    assert {"inventory", "claim_seconds", "max_per_consumer", "open_at", "supports_guest"} <= set(form.fields)
    assert not {"capacity", "admission_rate", "draw_at", "winner_count", "starting_price"} & set(form.fields)
    assert all(form.fields[name].help_text for name in ("inventory", "claim_seconds", "max_per_consumer"))
    page = editor.add(
        DISTRIBUTION, "?kind=timed_release", sequence=world.sequence.pk, name="Flash", slug="flash",
        inventory="40", claim_seconds="120", max_per_consumer="2", open_at_0="2031-06-01",
        open_at_1="10:00:00",
    )  # fmt: skip
    assert "was added successfully" in messages_of(page), page.context["errors"]
    found = loaded(Distribution.objects.get(slug="flash"))
    assert (found.kind, found.tally.places, found.pk.partition("_")[0]) == ("timed_release", 40, "release")
    assert (found.timed_release.claim_seconds, found.timed_release.max_per_consumer) == (120, 2)
    assert found.open_at == dt.datetime(2031, 6, 1, 10, tzinfo=dt.UTC)
    event = Event.objects.get(name="settings.changed", distribution_id=found.pk)
    assert (event.actor, event.data["after"]["inventory"]) == (editor.actor, 40)
    assert shown(world, found)["status"] == "PENDING"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("inventory", "-1"), ("inventory", "x"), ("inventory", "1000000001"),
        ("claim_seconds", "0"), ("claim_seconds", "2592001"), ("claim_seconds", "1.5"),
        ("max_per_consumer", ""), ("max_per_consumer", "0"), ("max_per_consumer", "1001"),
        ("max_per_consumer", "99999999"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_field(editor: Console, world: World, field: str, text: str) -> None:
    release = world.release(inventory=5)
    assert wrong(editor.save(DISTRIBUTION, release, **{field: text})) == [field]
    assert loaded(release).tally.places == 5


def test_more_units_under_way(editor: Console, world: World, clock: Any) -> None:
    release, late = world.release(inventory=1, claim_seconds=60), world.consumer()
    claimed(release, world, 1)
    require_sold_out(late.enter(release), 60)
    assert "was changed" in messages_of(editor.save(DISTRIBUTION, release, inventory="2"))
    assert claim(release, late)
    assert "was changed" in messages_of(editor.save(DISTRIBUTION, release, inventory=""))
    page = editor.open(DISTRIBUTION, release)
    assert (numbers(page)["Available"], notes(page)["Available"]) == ("any number", "")
    history = editor.get(reverse("admin:distributions_timedrelease_history", args=[release.pk]))
    assert history.status_code == 200


# --- Its page -------------------------------------------------------------------------------------
def test_the_live_stock(viewer: Console, world: World, clock: Any) -> None:
    release = world.release(inventory=1500, claim_seconds=60)
    one, two, _, _ = claimed(release, world, 4)
    move(world, release, "complete", one)
    two.leave(release)
    page = viewer.open(DISTRIBUTION, release)
    assert numbers(page) == {
        "Available": "1,497", "Claimed": "2", "Completed": "1", "Returned": "1", "Claims": "4",
    }  # fmt: skip
    assert notes(page)["Available"] == "of 1,500"
    assert page.context["phase"] == "OPEN"
    row = viewer.list(DISTRIBUTION)
    assert "Timed release" in text_of(row)


def test_pause_resume_and_close(editor: Console, world: World, clock: Any) -> None:
    release, late = world.release(inventory=5, claim_seconds=60), world.consumer()
    (inside,) = claimed(release, world, 1)
    assert offered(editor.open(DISTRIBUTION, release)) == ["pause", "close"]
    page = editor.press(DISTRIBUTION, release, "pause")
    assert "Paused" in messages_of(page)
    assert (page.context["phase"], offered(page)) == ("PAUSED", ["resume", "close"])
    assert_error(late.enter(release), 400, "Timed release is closed", "TIMED_RELEASE_PAUSED")
    assert "no longer possible" in messages_of(editor.press(DISTRIBUTION, release, "pause"))
    page = editor.press(DISTRIBUTION, release, "resume")
    assert (page.context["phase"], offered(page)) == ("OPEN", ["pause", "close"])
    assert claim(release, late)
    ask = editor.get(reverse(f"admin:{DISTRIBUTION}_press", args=[release.pk, "close"]))
    assert "keeps it until the claim ends" in text_of(ask)
    assert loaded(release).closed_at is None
    page = editor.press(DISTRIBUTION, release, "close", reason="Over")
    assert "Closed for good" in messages_of(page)
    assert (page.context["phase"], offered(page)) == ("CLOSED", [])
    assert "no longer possible" in messages_of(editor.press(DISTRIBUTION, release, "close", reason="Over"))
    assert_error(world.consumer().enter(release), 400, "Timed release is closed", "TIMED_RELEASE_CLOSED")
    assert inside.status(release).json()["status"] == "ADMITTED"
    names = ["timed_release.paused", "timed_release.resumed", "timed_release.closed"]
    assert traced(release) == [(name, editor.actor) for name in names]


def test_what_is_locked_when_it_has_closed(editor: Console, world: World, clock: Any) -> None:
    release = world.release(inventory=5, closes_in=600)
    assert locked(editor.open(DISTRIBUTION, release)) & {"inventory", "close_at"} == set()
    editor.press(DISTRIBUTION, release, "close", reason="Over")
    page = editor.open(DISTRIBUTION, release)
    assert {"open_at", "close_at", "inventory"} <= locked(page)
    assert "claim_seconds" not in locked(page)
    editor.save(DISTRIBUTION, release, inventory="50", name="Over")
    assert (loaded(release).tally.places, loaded(release).name) == (5, "Over")


# --- Who takes part -------------------------------------------------------------------------------
def test_participations(editor: Console, world: World, clock: Any) -> None:
    release = world.release(inventory=2, claim_seconds=60, max_per_consumer=2)
    one, two = claimed(release, world, 2)
    move(world, release, "complete", one)
    two.leave(release)
    claim(release, one)
    text = text_of(editor.list(PARTICIPATION, distribution__id__exact=release.pk))
    assert all(word in text for word in ("Completed", "Left", "Admitted"))
    second = Participation.objects.get(consumer_id=one.id, status="ADMITTED")
    first = Participation.objects.get(consumer_id=one.id, status="COMPLETED")
    assert offered(editor.open(PARTICIPATION, second)) == ["deny"]  # nobody is admitted out of turn here
    assert offered(editor.open(PARTICIPATION, first)) == []
    page = editor.press(PARTICIPATION, second, "deny", reason="FRAUD_DETECTED")
    assert "is denied" in messages_of(page)
    assert units(release, one.id) == [(1, "COMPLETED"), (2, "FRAUD_DETECTED")]
    assert claim(release, two)  # that unit
    assert require_true_stock(release).taken == 2


def test_a_claim_that_ended_is_shown_as_over(editor: Console, world: World, clock: Any) -> None:
    release = world.release(claim_seconds=60)
    claimed(release, world, 1)
    row = Participation.objects.get()
    clock.shift(60)
    page = editor.open(PARTICIPATION, row)
    assert "ADMISSION_EXPIRED" in text_of(page)
    assert offered(page) == []
    chosen = {"action": "deny_selected", "_selected_action": [str(row.pk)], "reason": "ADMIN_ACTION"}
    answer = editor.client.post(reverse(f"admin:{PARTICIPATION}_changelist"), chosen, follow=True)
    assert "0 denied. 1 had ended before" in messages_of(answer)


# --- Who may not ----------------------------------------------------------------------------------
def test_a_viewer_only_looks(viewer: Console, world: World, clock: Any) -> None:
    release = world.release(inventory=5, claim_seconds=60)
    claimed(release, world, 1)
    page = viewer.open(DISTRIBUTION, release)
    assert (page.status_code, offered(page)) == (200, [])
    text = text_of(page)
    assert all(label in text for label in ("Inventory", "Claim", "1 min", "Max per consumer"))
    for button in ("pause", "close"):
        viewer.press(DISTRIBUTION, release, button)
    viewer.client.post(reverse(f"admin:{DISTRIBUTION}_change", args=[release.pk]), {"name": "Mine"})
    assert (loaded(release).paused_at, loaded(release).closed_at) == (None, None)
    assert loaded(release).name == release.name
    assert viewer.get(ADD + "?kind=timed_release").status_code == 403


def test_another_tenant_is_not_let_near(stranger: Console, world: World, clock: Any) -> None:
    release = world.release(inventory=5)
    answer = stranger.client.get(reverse(f"admin:{DISTRIBUTION}_change", args=[release.pk]))
    assert answer.status_code == 302
    for button in ("pause", "resume", "close"):
        stranger.press(DISTRIBUTION, release, button)
    assert traced(release) == []
    assert release.pk not in text_of(stranger.list(DISTRIBUTION))
