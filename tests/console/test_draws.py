"""A draw at the console: set up, steered, looked at; and nothing there that could change what it proves."""

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from distributions import tasks
from distributions.core.models import Distribution, Drawing, FrozenList, Participation
from distributions.core.setup import Rows
from distributions.draws import setup
from distributions.draws.beacon import CHAINS, QUICKNET
from distributions.draws.models import Draw, EntryWeight
from experiences.models import Event, Organization
from fanfare import clock as time
from tests import lines
from tests.console.conftest import Console, messages_of
from tests.console.pages import DISTRIBUTION, PARTICIPATION, locked, numbers, offered, text_of
from tests.world import ConsumerClient, World, assert_error, loaded, path_of

DRAW = "distributions_draw"
# Round 1,000 of quicknet, as drand's public record has it.
ROUND = {"source": "drand", "chain": QUICKNET, "round": 1000}
ROUND_AT = CHAINS[QUICKNET].time_of(1000)
SIGNATURE = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"


def entrants(world: World, draw: Distribution, number: int) -> list[ConsumerClient]:
    """So many consumers who entered, the first one first."""
    people = [world.consumer() for _ in range(number)]
    for consumer in people:
        assert consumer.enter(draw).status_code == 200
    return people


def drawn(
    world: World, clock: Any, number: int, **settings: Any
) -> tuple[Distribution, list[ConsumerClient]]:
    """A draw that was drawn in time, and its entrants in the drawn order."""
    draw = world.draw(**settings)
    people = entrants(world, draw, number)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    tasks.run_draw(draw.pk)
    return draw, in_drawn_order(world, draw, people)


def in_drawn_order(world: World, draw: Distribution, people: list[ConsumerClient]) -> list[ConsumerClient]:
    proof = world.shop_front().get(f"{path_of(draw)}/proof").json()
    return [people[entry["number"] - 1] for entry in proof["winners"] + proof["alternates"]]


def fates(page: Any) -> list[tuple[str, str]]:
    """Whose turn it was, in order, and what became of it."""
    return [(entry.participation.consumer_id, entry.fate) for entry in page.context["panel"].drawn]


def row_of(draw: Distribution, consumer: ConsumerClient) -> Participation:
    return Participation.objects.get(distribution=draw, consumer_id=consumer.id)


def what_it_hangs_on(draw: Distribution) -> tuple[Any, ...]:
    """Seed, list, order and result of a draw, as stored."""
    rows = Participation.objects.filter(distribution=draw).order_by("id").values_list("place", "status")
    return (
        Drawing.objects.filter(pk=draw.pk).values_list().get(),
        [(bytes(one.weights), bytes(one.order)) for one in FrozenList.objects.filter(pk=draw.pk)],
        list(EntryWeight.objects.filter(distribution=draw).values_list()),
        list(Draw.objects.filter(pk=draw.pk).values_list("offered", "passed_over", "fell_through")),
        list(rows),
    )


# --- Setting one up -------------------------------------------------------------------------------
def test_an_editor_adds_a_draw(editor: Console, world: World) -> None:
    Organization.objects.update(time_zone="Europe/Berlin")
    queue = world.queue()
    assert "By lot" in editor.get(reverse(f"admin:{DISTRIBUTION}_add")).content.decode()
    page = editor.add(
        DISTRIBUTION, "?kind=draw", sequence=world.sequence.pk, name="Raffle", slug="raffle",
        draw_at_0="2031-06-01", draw_at_1="20:00:00", end_at_0="2031-12-01", end_at_1="20:00:00",
        winner_count="3", capacity="500", claim_seconds="600", fall_through=queue.pk,
        weights='[{"sequence": "everyone", "weight": 3}]', beacon='{"source": "drand"}',
    )  # fmt: skip
    assert "was added successfully" in messages_of(page), page.context["errors"]
    found = loaded(Distribution.objects.get(slug="raffle"))
    draw = found.draw
    assert (found.kind, found.organization, found.tally.places) == ("draw", world.organization, 500)
    # In the shop's own time, summer and winter.
    assert draw.draw_at == dt.datetime(2031, 6, 1, 18, tzinfo=dt.UTC)
    assert draw.end_at == dt.datetime(2031, 12, 1, 19, tzinfo=dt.UTC)
    assert (draw.winner_count, draw.claim_seconds, draw.alternates) == (3, 600, True)
    assert (draw.fall_through, draw.weights) == (queue, [{"sequence": "everyone", "weight": 3}])
    assert draw.beacon is not None  # with what was left to us
    assert CHAINS[draw.beacon["chain"]].time_of(draw.beacon["round"]) > draw.draw_at
    assert len(found.drawing.commitment) == 64
    event = Event.objects.filter(name="settings.changed").latest("id")
    assert (event.actor, event.data["after"]["fallThrough"]) == (editor.actor, queue.pk)
    page = editor.open(DISTRIBUTION, found)
    shown = page.content.decode()
    assert shown.count('value="20:00:00"') == 2
    assert "Time zone: Europe/Berlin." in shown


def test_adding_asks_for_what_a_draw_has(editor: Console, world: World, other_world: World) -> None:
    mine, other_queue = world.queue(), other_world.queue()
    world.draw()
    form = editor.get(reverse(f"admin:{DISTRIBUTION}_add") + "?kind=draw").context["adminform"].form
    assert {"draw_at", "winner_count", "weights", "beacon", "fall_through", "capacity"} <= set(form.fields)
    assert not {"admission_rate", "max_active", "enter_from"} & set(form.fields)
    assert all(form.fields[name].help_text for name in (*setup.OF_DRAW, "capacity", "close_at"))
    offers = form.fields["fall_through"].queryset
    assert mine in offers
    assert {thing.kind for thing in offers} == {"queue"}
    assert other_queue not in offers


WRONG: dict[str, dict[str, str]] = {
    "draw_at": {"draw_at_0": "2026-12-01", "draw_at_1": "09:00:01"},  # before it opens
    "winner_count": {"winner_count": "0"},
    "claim_seconds": {"claim_seconds": "99999999"},
    "end_at": {"end_at_0": "2026-12-01", "end_at_1": "09:00:01"},
    "weights": {"weights": '[{"sequence": "strangers", "weight": 3}]'},
    "beacon": {"beacon": json.dumps({**ROUND, "round": 1})},  # known for years
    "capacity": {"capacity": "-1"},
}


@pytest.mark.parametrize("field", WRONG)
def test_what_is_wrong_stands_at_its_field(editor: Console, world: World, clock: Any, field: str) -> None:
    draw = world.draw(opens_in=10)
    before = Draw.objects.values().get(pk=draw.pk)
    page = editor.save(DISTRIBUTION, draw, **WRONG[field])
    assert list(page.context["adminform"].form.errors) == [field]
    assert Draw.objects.values().get(pk=draw.pk) == before


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("weights", '[{"sequence": "everyone", "weight": 101}]'), ("weights", "{"), ("weights", "3"),
        ("weights", "{}"), ("beacon", "{}"),
        ("beacon", '{"source": "dice"}'), ("beacon", "[]"), ("beacon", '{"source": "drand", "round": "1"}'),
        ("draw_at_0", ""), ("fall_through", "queue_zz"),
    ],
)  # fmt: skip
def test_what_is_no_setting_is_refused(
    editor: Console, world: World, clock: Any, field: str, text: str
) -> None:
    draw = world.draw()
    page = editor.save(DISTRIBUTION, draw, **{field: text})
    assert list(page.context["adminform"].form.errors) == [field.removesuffix("_0")]


def test_losers_go_on_to_a_queue_that_is_near(
    editor: Console, world: World, other_world: World, clock: Any
) -> None:
    draw, near = world.draw(), world.queue()
    far = Distribution.objects.create(
        id="queue_far", organization=world.organization, sequence=world.sequence_in("elsewhere"),
        kind="queue", slug="far", name="Far away",
    )  # fmt: skip
    for wrong in (far.pk, other_world.queue().pk, draw.pk):
        page = editor.save(DISTRIBUTION, draw, fall_through=wrong)
        assert list(page.context["adminform"].form.errors) == ["fall_through"], wrong
    assert "was changed" in messages_of(editor.save(DISTRIBUTION, draw, fall_through=near.pk))
    assert Draw.objects.get().fall_through == near
    assert "was changed" in messages_of(editor.save(DISTRIBUTION, draw, fall_through=""))
    assert Draw.objects.get().fall_through is None
    history = editor.get(reverse(f"admin:{DRAW}_history", args=[draw.pk])).content.decode()
    assert "Fall through" in history


def test_the_history_of_settings_is_of_settings(editor: Console, world: World, clock: Any) -> None:
    draw, order = drawn(world, clock, 3, claim_seconds=600)
    order[0].leave(draw)
    tasks.pass_on_places(draw.pk)
    assert order[1].status(draw).json()["drawStatus"] == "WON"
    assert [version.history_type for version in draw.draw.history.all()] == ["+"]


def test_an_emptied_field_is_none(editor: Console, world: World, clock: Any) -> None:
    """As a browser sends it, with the value that it was shown."""
    draw = world.draw(weights=[{"sequence": "everyone", "weight": 3}], beacon={**ROUND, "round": 10**9})
    shown = editor.open(DISTRIBUTION, draw).content.decode()
    assert 'name="initial-weights"' in shown
    emptied = {"weights": "", "beacon": "", "metadata": ""}
    hidden = {"initial-weights": json.dumps(draw.draw.weights), "initial-metadata": '{"a": 1}'}
    Distribution.objects.update(metadata={"a": 1})
    assert "was changed" in messages_of(editor.save(DISTRIBUTION, draw, **emptied, **hidden))
    after = loaded(draw)
    assert (after.draw.weights, after.draw.beacon, after.metadata) == ([], None, {})


# --- What can't change any more -------------------------------------------------------------------
CHANGED: dict[str, Any] = {
    "open_at": dt.datetime(2026, 11, 30, tzinfo=dt.UTC),
    "close_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
    "draw_at": dt.datetime(2030, 1, 2, tzinfo=dt.UTC),
    "end_at": dt.datetime(2030, 1, 3, tzinfo=dt.UTC),
    "winner_count": 7,
    "claim_seconds": 77,
    "alternates": False,
    "capacity": 777,
    "weights": [{"sequence": "everyone", "weight": 7}],
    "beacon": {"source": "drand"},
}


def refused(draw: Distribution) -> set[str]:
    """What setting up would refuse as coming too late."""
    found = loaded(draw)
    rows = Rows(found, found.tally, found.draw, setup.OF_DRAW)
    changes = {name: (rows.get(name), value) for name, value in CHANGED.items()}
    return set(setup.SETTINGS.late(rows, changes, time.now()))


def test_what_is_decided_is_locked(editor: Console, world: World, clock: Any) -> None:
    end = time.now() + dt.timedelta(seconds=120)
    draw = world.draw(end_at=end)

    def as_setup_says() -> set[str]:
        found = locked(editor.open(DISTRIBUTION, draw))
        assert found & set(CHANGED) == refused(draw)
        return found

    assert as_setup_says() == set()
    entrants(world, draw, 1)
    assert {"weights", "beacon"} <= as_setup_says()
    assert "draw_at" not in as_setup_says()
    clock.shift(60)
    assert set(setup.OF_THE_LIST) <= as_setup_says()
    assert "end_at" not in as_setup_says()
    before = loaded(draw)
    editor.save(
        DISTRIBUTION, draw, winner_count="9", weights="[]", beacon="", alternates="", claim_seconds="1",
        draw_at_0="2031-01-01", draw_at_1="00:00:00", capacity="1", fall_through="", name="Renamed",
        end_at_0="2031-01-01", end_at_1="00:00:00",
    )  # fmt: skip
    after = loaded(draw)
    for name in set(setup.OF_DRAW) - {"end_at"}:
        assert getattr(after.draw, name) == getattr(before.draw, name), name
    assert (after.name, after.tally.places) == ("Renamed", None)
    assert after.draw.end_at == dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
    Draw.objects.update(end_at=end)
    clock.shift(60)
    assert "end_at" in as_setup_says()


def test_a_closed_draw_keeps_its_settings(editor: Console, world: World, clock: Any) -> None:
    draw = world.draw()
    editor.press(DISTRIBUTION, draw, "close", reason="Over")
    page = editor.open(DISTRIBUTION, draw)
    assert {*setup.OF_THE_LIST, "end_at"} <= locked(page)
    assert "name" not in locked(page)


# --- Steering it ----------------------------------------------------------------------------------
def test_freeze_draw_and_offer_by_hand(editor: Console, world: World, clock: Any) -> None:
    draw = world.draw(winner_count=2)
    people = entrants(world, draw, 5)
    people[4].leave(draw)
    page = editor.open(DISTRIBUTION, draw)
    assert offered(page) == ["freeze", "close", "proof"]
    assert (page.context["phase"], numbers(page)["Entries"], numbers(page)["Removed"]) == ("OPEN", "4", "1")
    assert "no longer possible" in messages_of(editor.press(DISTRIBUTION, draw, "draw"))
    assert "no longer possible" in messages_of(editor.press(DISTRIBUTION, draw, "offer"))
    ask = reverse(f"admin:{DISTRIBUTION}_press", args=[draw.pk, "freeze"])
    assert "no way back" in editor.get(ask).content.decode()
    assert Drawing.objects.get().frozen_at is None

    page = editor.press(DISTRIBUTION, draw, "freeze")
    assert "nobody can enter" in messages_of(page)
    assert (page.context["phase"], offered(page)) == ("CLOSED", ["draw", "close", "proof"])
    assert_error(world.consumer().enter(draw), 400, "Draw is closed", "DRAW_CLOSED")
    assert_error(people[0].leave(draw), 400, "Draw is closed", "DRAW_CLOSED")
    assert "no longer possible" in messages_of(editor.press(DISTRIBUTION, draw, "freeze"))
    proof = world.shop_front().get(f"{path_of(draw)}/proof").json()
    assert (proof["status"], proof["frozenBy"], proof["entryCount"]) == ("FROZEN", "staff", 4)

    page = editor.press(DISTRIBUTION, draw, "draw")
    assert "2 won" in messages_of(page)
    assert (page.context["phase"], offered(page)) == ("DRAWN", ["offer", "close", "proof"])
    assert (numbers(page)["Winners"], numbers(page)["Alternates left"]) == ("2", "2")
    hangs_on = what_it_hangs_on(draw)
    assert "no longer possible" in messages_of(editor.press(DISTRIBUTION, draw, "draw"))
    assert what_it_hangs_on(draw) == hangs_on

    order = in_drawn_order(world, draw, people)
    assert "Every place is taken." in messages_of(editor.press(DISTRIBUTION, draw, "offer"))
    order[0].leave(draw)
    page = editor.press(DISTRIBUTION, draw, "offer")
    assert f"{order[2].id} is next" in messages_of(page)
    assert order[2].status(draw).json()["drawStatus"] == "WON"
    assert (numbers(page)["Returned"], numbers(page)["Alternates left"]) == ("1", "1")
    told = Event.objects.filter(actor=editor.actor, name__startswith="draw.").order_by("id")
    assert [event.name for event in told.exclude(name="draw.consumer.won")] == ["draw.frozen", "draw.drawn"]
    assert told.filter(name="draw.consumer.won", consumer_id=order[2].id).count() == 1


def test_nothing_to_freeze_before_it_opens(editor: Console, world: World, clock: Any) -> None:
    draw = world.draw(opens_in=30)
    assert offered(editor.open(DISTRIBUTION, draw)) == ["close", "proof"]
    assert "no longer possible" in messages_of(editor.press(DISTRIBUTION, draw, "freeze"))
    assert Drawing.objects.get().frozen_at is None


def test_closing_before_the_draw_cancels_it(editor: Console, world: World, clock: Any) -> None:
    draw = world.draw()
    (consumer,) = entrants(world, draw, 1)
    url = reverse(f"admin:{DISTRIBUTION}_press", args=[draw.pk, "close"])
    assert "cancels it" in editor.get(url).content.decode()
    page = editor.press(DISTRIBUTION, draw, "close", reason="Over")
    assert "Cancelled for good" in messages_of(page)
    assert (page.context["panel"].stage, offered(page)) == ("Cancelled", ["proof"])
    assert consumer.status(draw).json()["denyReason"] == "DRAW_CLOSED"
    for button in ("freeze", "draw", "offer", "close"):
        assert "no longer possible" in messages_of(editor.press(DISTRIBUTION, draw, button, reason="x")), (
            button
        )


def test_closing_after_the_draw_ends_passing_on(editor: Console, world: World, clock: Any) -> None:
    draw, order = drawn(world, clock, 3, claim_seconds=600)
    page = editor.press(DISTRIBUTION, draw, "close", reason="Over")
    assert "no place is passed on" in messages_of(page)
    assert (page.context["panel"].stage, offered(page)) == ("Drawn", ["proof"])
    order[0].leave(draw)
    tasks.pass_on_places(draw.pk)
    assert [one.status(draw).json()["status"] for one in order] == ["LEFT", "DENIED", "DENIED"]


def test_waiting_for_the_beacon(editor: Console, world: World, clock: Any, settings: Any) -> None:
    settings.BEACON_FETCHER = "distributions.draws.beacon.by_staff"
    clock.move_to(ROUND_AT - dt.timedelta(seconds=60))
    draw = world.draw(draws_in=30, beacon=ROUND)
    entrants(world, draw, 2)
    assert offered(editor.open(DISTRIBUTION, draw)) == ["freeze", "close", "proof"]
    clock.shift(30)
    tasks.tick_draws()
    page = editor.open(DISTRIBUTION, draw)
    assert offered(page) == ["draw", "beacon", "close", "proof"]
    assert (page.context["panel"].stage, page.context["panel"].level) == (
        "Waits for its beacon", "Public beacon",
    )  # fmt: skip
    assert "round 1000, due 23 Aug 2023, 15:59:24 UTC" in text_of(page)
    assert "due 23 Aug 2023" in text_of(editor.press(DISTRIBUTION, draw, "draw"))
    early = editor.press(DISTRIBUTION, draw, "beacon", signature=SIGNATURE)
    assert "There is no value yet" in messages_of(early)
    clock.shift(30)
    assert "never drawn without" in messages_of(editor.press(DISTRIBUTION, draw, "draw"))
    for wrong in ("", "x" * 96, SIGNATURE[:-2], "a" * 96, SIGNATURE[:-2] + "38", "9" * 1001):
        page = editor.press(DISTRIBUTION, draw, "beacon", signature=wrong)
        assert page.context.get("form") or "Validation failed" in messages_of(page), wrong
        assert Drawing.objects.get().beacon_signature == "", wrong
    page = editor.press(DISTRIBUTION, draw, "beacon", signature=f" {SIGNATURE.upper()}\n")
    assert "signed this value of round 1000" in messages_of(page)
    assert offered(page) == ["draw", "close", "proof"]
    assert "no longer possible" in messages_of(
        editor.press(DISTRIBUTION, draw, "beacon", signature=SIGNATURE)
    )
    assert "1 won" in messages_of(editor.press(DISTRIBUTION, draw, "draw"))
    proof = world.shop_front().get(f"{path_of(draw)}/proof").json()
    assert (proof["level"], proof["beacon"]["signature"]) == ("beacon", SIGNATURE)


# --- Who may do what, and what nobody may ---------------------------------------------------------
def test_a_viewer_looks_and_takes_the_proof(
    viewer: Console, editor: Console, world: World, clock: Any
) -> None:
    draw, _ = drawn(world, clock, 3)
    page = viewer.open(DISTRIBUTION, draw)
    assert offered(page) == ["proof"]
    assert Drawing.objects.get().commitment in page.content.decode()
    for button in ("freeze", "draw", "beacon", "offer", "close"):
        assert viewer.press(DISTRIBUTION, draw, button, signature=SIGNATURE).status_code == 403, button
    url = reverse(f"admin:{DISTRIBUTION}_press", args=[draw.pk, "proof"])
    assert url in page.content.decode()
    public = world.shop_front().get(f"{path_of(draw)}/proof/file")
    for who in (viewer, editor):
        file = who.get(url)
        assert json.loads(b"".join(file.streaming_content)) == public.json()
        assert file.headers["Content-Disposition"] == f'attachment; filename="proof-{draw.pk}.json"'


def test_draws_of_others_are_not_there(
    stranger: Console, superuser: Console, world: World, clock: Any
) -> None:
    draw, _ = drawn(world, clock, 2)
    assert draw.pk not in stranger.list(DISTRIBUTION).content.decode()
    for button in ("freeze", "draw", "beacon", "offer", "close", "proof"):
        url = reverse(f"admin:{DISTRIBUTION}_press", args=[draw.pk, button])
        answers = [stranger.post(url, signature=SIGNATURE), stranger.get(url)]
        assert [answer.headers.get("Location") for answer in answers] == ["/admin/", "/admin/"], button
        assert Client().get(url).headers["Location"].startswith("/admin/login/")
    history = reverse(f"admin:{DRAW}_history", args=[draw.pk])
    assert stranger.get(history).headers["Location"] == "/admin/"
    proof = superuser.get(reverse(f"admin:{DISTRIBUTION}_press", args=[draw.pk, "proof"]))
    assert json.loads(b"".join(proof.streaming_content))["id"] == draw.pk


def test_no_page_changes_a_seed_a_list_or_a_result(
    owner: Console, superuser: Console, world: World, clock: Any
) -> None:
    assert not {Drawing, FrozenList, EntryWeight} & set(admin.site._registry)
    draw, order = drawn(world, clock, 3)
    forged = {
        "seed": "00", "commitment": "0" * 64, "salt": "00", "root": "0" * 64, "key": "0" * 64, "numbers": "1",
        "entries": "1", "frozen_at_0": "2020-01-01", "frozen_at_1": "00:00:00", "drawn_at_0": "2020-01-01",
        "drawn_at_1": "00:00:00", "beacon_signature": SIGNATURE, "weights": "[]", "order": "", "offered": "0",
        "passed_over": "[]", "fell_through": "9", "removed": "{}", "groups": "[]", "winner_count": "3",
    }  # fmt: skip
    before = what_it_hangs_on(draw)
    loser = row_of(draw, order[2])
    for who in (owner, superuser):
        assert "was changed" in messages_of(who.save(DISTRIBUTION, draw, **forged))
        for model, thing in ((DRAW, draw.draw), (PARTICIPATION, loser)):
            change, delete = (
                reverse(f"admin:{model}_{page}", args=[thing.pk]) for page in ("change", "delete")
            )
            assert who.post(change, **forged, status="ADMITTED", place="1").status_code == 403
            assert who.post(delete, post="yes").status_code == 403
            assert who.post(reverse(f"admin:{model}_add"), **forged).status_code == 403
        delete = reverse(f"admin:{DISTRIBUTION}_delete", args=[draw.pk])
        assert who.post(delete, post="yes").status_code == 403
    assert what_it_hangs_on(draw) == before


# --- What its page shows --------------------------------------------------------------------------
def test_what_became_of_the_drawn_order(viewer: Console, world: World, clock: Any) -> None:
    draw = world.draw(winner_count=5, claim_seconds=600, end_at=time.now() + dt.timedelta(seconds=2000))
    people = entrants(world, draw, 9)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    before = viewer.open(DISTRIBUTION, draw)
    assert fates(before) == []
    denied = people[3]
    server = world.server()
    server.post(f"{path_of(draw)}/deny", {"consumerId": denied.id, "reason": "FRAUD_DETECTED"})
    tasks.run_draw(draw.pk)
    order = in_drawn_order(world, draw, people)
    order.remove(denied)
    server.post(f"{path_of(draw)}/complete", {"consumerId": order[0].id})
    order[1].leave(draw)
    clock.shift(1)
    tasks.pass_on_places(draw.pk)

    page = viewer.open(DISTRIBUTION, draw)
    found = dict(fates(page))
    assert [found[one.id] for one in order[:2]] == ["Claimed", "Given up"]
    assert {found[one.id] for one in order[2:6]} == {"Won"}
    assert {found[one.id] for one in order[6:]} == {"Alternate"}
    assert found[denied.id] in ("Passed over", "To be passed over")
    text = page.content.decode()
    assert "FRAUD_DETECTED" in text
    assert reverse("admin:consumers_consumer_change", args=[order[0].id]) in text
    proof = world.shop_front().get(f"{path_of(draw)}/proof").json()
    for known in (proof["commitment"], proof["root"], proof["seed"], proof["winners"][0]["rank"][:12]):
        assert known in text
        assert (known == proof["commitment"] or known == proof["root"]) == (known in before.content.decode())
    clock.shift(2000)
    tasks.expire_admissions()
    found = dict(fates(viewer.open(DISTRIBUTION, draw)))
    assert {found[one.id] for one in order[2:6]} == {"Not claimed"}
    assert {found[one.id] for one in order[6:]} == {"Lost"}


def test_only_the_beginning_of_a_long_order(
    viewer: Console, world: World, clock: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("distributions.draws.drawn_order.SHOWN", 2)
    draw, order = drawn(world, clock, 4)
    page = viewer.open(DISTRIBUTION, draw)
    assert fates(page) == [(order[0].id, "Won"), (order[1].id, "Lost")]
    assert "the first 2 of 4" in page.content.decode()


def test_groups_and_removed_entries_are_told(viewer: Console, world: World, clock: Any) -> None:
    world.sequence_with("members", requires_authentication=True)
    draw = world.draw(weights=[{"sequence": "members", "weight": 3}])
    guests, member = entrants(world, draw, 3), world.member()
    member.enter(draw)
    guests[0].leave(draw)
    server = world.server()
    server.post(f"{path_of(draw)}/deny", {"consumerId": guests[1].id, "reason": "Somebody’s own words"})
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    page = viewer.open(DISTRIBUTION, draw)
    assert [
        (group["weight"], group["entries"], group["chance"]) for group in page.context["panel"].groups
    ] == [
        (1, 1, "25 %"),
        (3, 1, "75 %"),
    ]
    text = page.content.decode()
    assert "Chance of each" in text
    assert "2 of 4 numbers given; removed before (left: 1, other: 1)" in text
    assert ", by itself" in text


def test_who_froze_the_list_is_told(viewer: Console, editor: Console, world: World, clock: Any) -> None:
    draw = world.draw()
    editor.press(DISTRIBUTION, draw, "freeze")
    text = viewer.open(DISTRIBUTION, draw).content.decode()
    assert "by hand: edgar" in text
    assert "Chance of each" not in text


def test_a_late_freeze_with_a_beacon_proves_less(viewer: Console, world: World, clock: Any) -> None:
    draw = world.draw(beacon=ROUND)  # whose round was due years ago
    assert "proves no more" not in viewer.open(DISTRIBUTION, draw).content.decode()
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    page = viewer.open(DISTRIBUTION, draw)
    assert page.context["panel"].level == "Commit and reveal"
    assert "proves no more" in page.content.decode()


def test_a_pre_queues_drawing_is_shown(viewer: Console, world: World, clock: Any) -> None:
    plain = viewer.open(DISTRIBUTION, world.queue())
    assert (plain.context["panel"], offered(plain)) == (None, [])
    queue = world.queue(opens_in=60, randomize_before_open=True, enter_from=time.now())
    entrants(world, queue, 3)
    page = viewer.open(DISTRIBUTION, queue)
    assert (page.context["panel"].stage, offered(page)) == ("Committed", ["proof"])
    commitment = Drawing.objects.get().commitment
    assert commitment in page.content.decode()
    clock.shift(60)
    tasks.open_queue(queue.pk)
    page = viewer.open(DISTRIBUTION, queue)
    proof = world.shop_front().get(f"{path_of(queue)}/proof/file").json()
    assert (page.context["panel"].stage, page.context["panel"].drawn) == ("Drawn", ())
    text = page.content.decode()
    assert all(known in text for known in (commitment, proof["root"], proof["seed"]))
    file = viewer.get(reverse(f"admin:{DISTRIBUTION}_press", args=[queue.pk, "proof"]))
    assert json.loads(b"".join(file.streaming_content)) == proof


# --- Who takes part -------------------------------------------------------------------------------
def test_a_list_of_losers_asks_few_questions(
    viewer: Console, world: World, clock: Any, django_assert_max_num_queries: Any
) -> None:
    draw = world.draw()
    lines.fill(draw, world, 30)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    tasks.run_draw(draw.pk)
    with django_assert_max_num_queries(14):
        page = viewer.list(PARTICIPATION, distribution__id__exact=draw.pk)
    assert page.content.decode().count("Lost") == 29


def test_a_loser_is_shown_as_lost(editor: Console, world: World, clock: Any) -> None:
    draw, order = drawn(world, clock, 3)
    winner, loser = row_of(draw, order[0]), row_of(draw, order[1])
    page = editor.open(PARTICIPATION, loser)
    text = text_of(page)
    assert all(known in text for known in ("Lost", "NOT_SELECTED", f"entry {loser.place}"))
    assert "QUEUED" not in text
    assert (offered(page), offered(editor.open(PARTICIPATION, winner))) == ([], ["deny"])
    found = editor.list(PARTICIPATION, distribution__id__exact=draw.pk).content.decode()
    assert (found.count("Lost"), found.count("Won")) == (2, 1)
    for button in ("deny", "admit"):
        assert "no longer possible" in messages_of(editor.press(PARTICIPATION, loser, button, reason="x"))
    body = {"action": "deny_selected", "_selected_action": [winner.pk, loser.pk], "reason": "Bots"}
    done = editor.client.post(reverse(f"admin:{PARTICIPATION}_changelist"), body, follow=True)
    assert "1 denied. 1 had ended before" in messages_of(done)
    assert order[1].status(draw).json()["denyReason"] == "NOT_SELECTED"
    assert order[0].status(draw).json()["denyReason"] == "Bots"


def test_nobody_is_admitted_out_of_turn_in_a_draw(editor: Console, world: World, clock: Any) -> None:
    draw = world.draw()
    (consumer,) = entrants(world, draw, 1)
    row = row_of(draw, consumer)
    page = editor.open(PARTICIPATION, row)
    assert (offered(page), "Entered" in page.content.decode()) == (["deny"], True)
    assert "no longer possible" in messages_of(editor.press(PARTICIPATION, row, "admit"))
    assert consumer.status(draw).json()["status"] == "QUEUED"


def test_an_alternate_who_is_denied_is_passed_over(editor: Console, world: World, clock: Any) -> None:
    draw, order = drawn(world, clock, 3, claim_seconds=600)
    page = editor.open(PARTICIPATION, row_of(draw, order[1]))
    assert ("Alternate" in page.content.decode(), offered(page)) == (True, ["deny"])
    editor.press(PARTICIPATION, row_of(draw, order[1]), "deny", reason="Bots")
    page = editor.open(DISTRIBUTION, draw)
    assert fates(page)[1] == (order[1].id, "To be passed over")
    order[0].leave(draw)
    tasks.pass_on_places(draw.pk)
    page = editor.open(DISTRIBUTION, draw)
    assert fates(page) == [(order[0].id, "Given up"), (order[1].id, "Passed over"), (order[2].id, "Won")]
    assert "Bots" in page.content.decode()
    assert editor.list(PARTICIPATION, q=draw.pk).context["cl"].result_count == 3
    assert editor.list("experiences_event", q=draw.pk).context["cl"].result_count > 3


def test_the_list_of_distributions_tells_the_phase(
    viewer: Console, world: World, clock: Any, django_assert_max_num_queries: Any
) -> None:
    drawn(world, clock, 2, draws_in=60)
    world.draw(opens_in=10)
    entrants(world, world.draw(), 1)
    tasks.freeze_draw(world.draw(draws_in=0).pk)
    with django_assert_max_num_queries(14):
        page = viewer.list(DISTRIBUTION)
    rows = page.context["cl"].result_list
    pages = page.context["cl"].model_admin
    found = sorted((str(pages.phase(row)), pages.waiting(row)) for row in rows)
    assert found == [("CLOSED", 0), ("DRAWN", 0), ("OPEN", 1), ("PENDING", 0)]
    assert all(phase in page.content.decode() for phase, _ in found)
