"""`manage.py apply`: draws in a file: their settings, what they name, what can't change any more."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from distributions import tasks
from distributions.core import switches
from distributions.core.models import Distribution, Drawing
from distributions.draws.models import Draw
from experiences.models import Event
from fanfare import clock as time
from tests.commands.test_apply import apply
from tests.conftest import START
from tests.world import World

pytestmark = pytest.mark.usefixtures("transactional_db", "clock", "no_relay")

DRAW = "experiences[0].sequences[0].draws[0]"
QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
# The first round that is due more than thirty seconds after 11:00 of the test's day, and after 12:00.
AT_ELEVEN, AT_TWELVE = 34_439_823, 34_441_023
FILE = """
organization: {slug: shop, name: Shop, timeZone: Europe/Berlin}
experiences:
  - slug: drop
    name: Drop
    sequences:
      - slug: everyone
        name: Everyone
        draws:
          - {slug: raffle, name: The raffle, openAt: now-1m, closeAt: now+1h, drawAt: now+2h, winnerCount: 3,
             capacity: 100, claimSeconds: 600, alternates: false, endAt: "2026-12-02T12:00:00Z",
             weights: [{sequence: members, weight: 3}], beacon: {source: drand}, supportsGuest: false,
             maxEntriesPerFingerprint: 2, timeZone: Asia/Tokyo, metadata: {sku: A},
             fallThrough: {queue: line}}
        queues: [{slug: line, name: The line}]
      - slug: members
        name: Members
        requiresAuthentication: true
        draws:
          - {slug: raffle, name: Theirs, drawAt: now+1h, fallThrough: {sequence: everyone, queue: line}}
"""


@pytest.fixture
def no_relay(settings: Any) -> None:
    """No test asks a beacon out there."""
    settings.BEACON_FETCHER = "distributions.draws.beacon.by_staff"


def with_draw(settings: str = "", more: str = "") -> str:
    """A file whose draw has these settings beside slug, name and time; `more`: further sequences."""
    time_of_it = "" if "drawAt" in settings else 'drawAt: "2026-12-01T11:00:00Z", '
    return f"""
organization: {{slug: shop, name: Shop}}
experiences: [{{slug: drop, name: Drop, sequences: [{{slug: everyone, name: Everyone,
  draws: [{{slug: raffle, name: The raffle, {time_of_it}{settings}}}],
  queues: [{{slug: line, name: The line}}]}}{more}]}}]
"""


def the_draw(slug: str = "raffle", sequence: str = "everyone") -> Distribution:
    related = Distribution.objects.select_related("draw", "tally", "drawing", "sequence")
    return related.get(kind="draw", slug=slug, sequence__slug=sequence)


def beacon_round() -> Any:
    """The round that the draw names."""
    named = the_draw().draw.beacon
    assert named is not None
    return named["round"]


def line_of(printed: str) -> str:
    """What is said of the draw."""
    (line,) = [line for line in printed.splitlines() if "drop/everyone/raffle" in line]
    return " ".join(line.split())


def refusal(tmp_path: Path, text: str, *options: str) -> dict[str, str]:
    """What was wrong, by path; nothing may have changed."""
    before = everything()
    with pytest.raises(CommandError) as problem:
        apply(tmp_path, text, *options)
    assert everything() == before
    first, *lines = str(problem.value).splitlines()
    assert first == "Nothing was changed."
    parts = [line.removeprefix(f"{tmp_path}/drop.yaml: ").partition(": ") for line in lines]
    return {path: said for path, _, said in parts}


def everything() -> list[Any]:
    tables = (Distribution, Draw, Event, Draw.history.model, Distribution.history.model)
    drawings = list(Drawing.objects.order_by("pk").values_list("pk", "commitment"))
    return [list(table._default_manager.order_by("pk").values()) for table in tables] + drawings


def world_of(tmp_path: Path, text: str) -> World:
    """The shop that the file makes."""
    made = json.loads(apply(tmp_path, text, "--json"))["organization"]
    draw = the_draw()
    return World(draw.organization, draw.sequence, made["publishableKey"], made["secretKey"])


# --- What a file makes ----------------------------------------------------------------------------
def test_every_setting_is_kept(tmp_path: Path) -> None:
    apply(tmp_path, FILE)
    distribution = the_draw()
    draw = distribution.draw
    line = Distribution.objects.get(kind="queue")
    assert (draw.draw_at, draw.end_at) == (START + dt.timedelta(hours=2), START + dt.timedelta(hours=27))
    assert (draw.winner_count, draw.claim_seconds, draw.alternates) == (3, 600, False)
    assert draw.weights == [{"sequence": "members", "weight": 3}]  # which comes later in the file
    assert draw.fall_through == line
    assert the_draw(sequence="members").draw.fall_through == line
    opens, closes = START - dt.timedelta(minutes=1), START + dt.timedelta(hours=1)
    assert (distribution.open_at, distribution.close_at) == (opens, closes)
    assert (distribution.tally.places, distribution.max_entries_per_fingerprint) == (100, 2)
    found = (distribution.supports_guest, distribution.time_zone, distribution.metadata)
    assert found == (False, "Asia/Tokyo", {"sku": "A"})
    assert len(distribution.drawing.commitment) == 64


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    apply(tmp_path, with_draw())
    draw = the_draw().draw
    assert (draw.winner_count, draw.claim_seconds, draw.alternates, draw.end_at) == (1, None, True, None)
    assert (draw.weights, draw.beacon, draw.fall_through) == ([], None, None)
    assert (the_draw().tally.places, the_draw().supports_guest) == (None, True)


def test_the_same_file_again_changes_nothing(tmp_path: Path, clock: Any) -> None:
    """Whatever has become of the draw meanwhile."""
    first = json.loads(apply(tmp_path, FILE, "--json"))
    shown = first["experiences"]["drop"]["sequences"]
    assert shown["everyone"]["draws"] == {"raffle": the_draw().pk}
    assert shown["members"]["draws"] == {"raffle": the_draw(sequence="members").pk}
    for seconds in (60, 7200, 90_000):  # while it is open, when it is frozen and drawn, when it is over
        clock.shift(seconds)
        tasks.tick_draws()
        before = everything()
        assert {line.split()[0] for line in apply(tmp_path, FILE).splitlines()[:-1]} == {"unchanged"}
        assert everything() == before
    members = the_draw(sequence="members")
    assert the_draw().drawing.frozen_at is not None
    assert members.drawing.drawn_at is not None


def test_lines_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Though queues are made before draws, which may name them."""
    printed = [line.split()[1:3] for line in apply(tmp_path, FILE).splitlines()[:7]]
    assert printed == [
        ["organization", "shop"],
        ["experience", "drop"],
        ["sequence", "drop/everyone"],
        ["draw", "drop/everyone/raffle"],
        ["queue", "drop/everyone/line"],
        ["sequence", "drop/members"],
        ["draw", "drop/members/raffle"],
    ]


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    before = everything()
    assert "created draw drop/everyone/raffle" in line_of(apply(tmp_path, FILE, "--dry-run"))
    planned = json.loads(apply(tmp_path, FILE, "--dry-run", "--json"))
    assert planned["experiences"]["drop"]["sequences"]["everyone"]["draws"] == {"raffle": None}
    assert everything() == before


def test_the_api_shows_what_the_file_says(tmp_path: Path) -> None:
    world = world_of(tmp_path, FILE)
    shown = world.shop_front().get(f"/draws/{the_draw().pk}").json()
    assert (shown["status"], shown["winnerCount"], shown["capacity"]) == ("OPEN", 3, 100)
    assert (shown["drawAt"], shown["closeAt"]) == ("2026-12-01T11:00:00Z", "2026-12-01T10:00:00Z")
    assert shown["timeZone"] == "Asia/Tokyo"
    assert world.member().enter(the_draw()).json()["receipt"]["weight"] == 3


def test_what_differs_is_changed_kept_in_the_history_and_traced(tmp_path: Path) -> None:
    apply(tmp_path, with_draw("winnerCount: 2, fallThrough: {queue: line}"))
    draw, line = the_draw(), Distribution.objects.get(kind="queue")
    last = Event.objects.order_by("-id")[0].pk
    later = with_draw('drawAt: "2026-12-01T12:00:00Z", winnerCount: 5, claimSeconds: 60, fallThrough: null')
    printed = line_of(apply(tmp_path, later))
    assert printed == (
        "updated draw drop/everyone/raffle: drawAt 2026-12-01T11:00:00Z → 2026-12-01T12:00:00Z, "
        "winnerCount 2 → 5, claimSeconds none → 60, fallThrough The line → none"
    )
    [event] = Event.objects.filter(id__gt=last)
    assert (event.name, event.actor, event.distribution_id) == ("settings.changed", "system:apply", draw.pk)
    before = {
        "drawAt": "2026-12-01T11:00:00Z",
        "winnerCount": 2,
        "claimSeconds": None,
        "fallThrough": line.pk,
    }
    after = {"drawAt": "2026-12-01T12:00:00Z", "winnerCount": 5, "claimSeconds": 60, "fallThrough": None}
    assert (event.data["before"], event.data["after"]) == (before, after)
    history = Draw.history.filter(distribution_id=draw.pk).order_by("history_id")
    assert [(row.winner_count, row.fall_through_id) for row in history] == [(2, line.pk), (5, None)]
    commitment = draw.drawing.commitment
    assert the_draw().drawing.commitment == commitment


# --- The beacon -----------------------------------------------------------------------------------
def test_chain_and_round_are_filled_in_and_stay(tmp_path: Path, clock: Any) -> None:
    """The first round that is due more than half a minute after entries close."""
    text = with_draw("beacon: {source: drand}")
    apply(tmp_path, text)
    named = {"source": "drand", "chain": QUICKNET, "round": AT_ELEVEN}
    assert the_draw().draw.beacon == named
    clock.shift(7200)  # closed, and about to be drawn
    assert line_of(apply(tmp_path, text)) == "unchanged draw drop/everyone/raffle"
    chain = with_draw(f"beacon: {{source: drand, chain: {QUICKNET}}}")
    assert line_of(apply(tmp_path, chain)) == "unchanged draw drop/everyone/raffle"
    assert the_draw().draw.beacon == named


def test_a_round_that_would_come_too_early_is_named_anew(tmp_path: Path) -> None:
    apply(tmp_path, with_draw("beacon: {source: drand}"))
    apply(tmp_path, with_draw('drawAt: "2026-12-01T10:30:00Z", beacon: {source: drand}'))
    assert beacon_round() == AT_ELEVEN  # late enough for the earlier hour too
    apply(tmp_path, with_draw('drawAt: "2026-12-01T12:00:00Z", beacon: {source: drand}'))
    assert beacon_round() == AT_TWELVE
    later = 'drawAt: "2026-12-01T13:00:00Z"'
    assert list(refusal(tmp_path, with_draw(later))) == [f"{DRAW}.beacon"]  # the file does not name it anew
    closes = with_draw(f'{later}, closeAt: "2026-12-01T12:00:00Z"')
    apply(tmp_path, closes)  # entries close no later than before
    assert beacon_round() == AT_TWELVE


def test_ones_own_round_is_taken_and_the_beacon_taken_away(tmp_path: Path) -> None:
    apply(tmp_path, with_draw(f"beacon: {{source: drand, chain: {QUICKNET}, round: {AT_TWELVE}}}"))
    assert beacon_round() == AT_TWELVE
    apply(tmp_path, with_draw("beacon: {source: drand}"))
    assert beacon_round() == AT_TWELVE
    apply(tmp_path, with_draw("beacon: null"))
    assert the_draw().draw.beacon is None


@pytest.mark.parametrize(
    ("beacon", "said"),
    [
        ("{source: nist}", "drand"),
        ("{chain: x}", "drand"),
        ("{source: drand, chain: abc}", "Unknown chain"),
        ("{source: drand, chain: null}", "Unknown chain"),
        ("{source: drand, chain: [a]}", "Unknown chain"),
        ("{source: drand, chain: {a: b}, round: 5}", "Unknown chain"),
        ("{source: drand, round: 40000000}", "belong together"),
        (f"{{source: drand, chain: {QUICKNET}, round: {AT_ELEVEN - 11}}}", "later than entries close"),
        (f"{{source: drand, chain: {QUICKNET}, round: 1}}", "later than entries close"),
        (f"{{source: drand, chain: {QUICKNET}, round: 0}}", "whole number"),
        (f"{{source: drand, chain: {QUICKNET}, round: '40000000'}}", "whole number"),
        (f"{{source: drand, chain: {QUICKNET}, round: true}}", "whole number"),
        (f"{{source: drand, chain: {QUICKNET}, round: 1000000001}}", "whole number"),
        (f"{{source: drand, chain: {QUICKNET}, round: {2**62}}}", "whole number"),
        (f"{{source: drand, chain: {QUICKNET}, round: 99999999999999999999}}", "Only text, numbers"),
        (f"{{source: drand, chain: {QUICKNET}, round: 40000000, seed: x}}", "drand"),
        ("[drand]", "set of names"),
        ("drand", "set of names"),
    ],
)
def test_a_wrong_beacon(tmp_path: Path, beacon: str, said: str) -> None:
    found = refusal(tmp_path, with_draw(f"beacon: {beacon}"))
    assert list(found) == [f"{DRAW}.beacon"]
    assert said in found[f"{DRAW}.beacon"]


def test_the_round_just_after_closing_is_early_enough(tmp_path: Path) -> None:
    """The next one before it is told apart in `test_a_wrong_beacon`."""
    apply(tmp_path, with_draw(f"beacon: {{source: drand, chain: {QUICKNET}, round: {AT_ELEVEN - 10}}}"))
    assert beacon_round() == AT_ELEVEN - 10


# --- What is wrong --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("drawAt: null", "drawAt"),
        ("drawAt: soon", "drawAt"),
        ("openAt: now+3h", "drawAt"),
        ('openAt: "2026-12-01T11:00:00Z"', "drawAt"),
        ("openAt: now, closeAt: now", "closeAt"),
        ('endAt: "2026-12-01T11:00:00Z"', "endAt"),
        ("endAt: now+1h", "endAt"),
        ("endAt: 5", "endAt"),
        ("winnerCount: 0", "winnerCount"),
        ("winnerCount: -1", "winnerCount"),
        ("winnerCount: 10000001", "winnerCount"),
        ("winnerCount: 99999999999999999999", "winnerCount"),
        ("winnerCount: null", "winnerCount"),
        ("winnerCount: 1.5", "winnerCount"),
        ("claimSeconds: 0", "claimSeconds"),
        ("claimSeconds: 2592001", "claimSeconds"),
        ("claimSeconds: true", "claimSeconds"),
        ("capacity: -1", "capacity"),
        ("capacity: 1000000001", "capacity"),
        ("alternates: null", "alternates"),
        ("alternates: 'no'", "alternates"),
        ("weights: {sequence: everyone, weight: 2}", "weights"),
        ("weights: [{sequence: nowhere, weight: 2}]", "weights"),
        ("weights: [{sequence: everyone, weight: 101}]", "weights"),
        ("weights: [{sequence: everyone, weight: 0}]", "weights"),
        ("weights: [{sequence: everyone, weight: 1.5}]", "weights"),
        ("weights: [{sequence: everyone, weight: true}]", "weights"),
        ("weights: [{sequence: everyone}]", "weights"),
        ("weights: [{sequence: [everyone], weight: 2}]", "weights"),
        ("weights: [{sequence: everyone, weight: 2, of: x}]", "weights"),
        ("weights: [{sequence: everyone, weight: 2}, {sequence: everyone, weight: 3}]", "weights"),
        ("weights: [everyone]", "weights"),
        ("fallThrough: {queue: nowhere}", "fallThrough"),
        ("fallThrough: {queue: line, sequence: nowhere}", "fallThrough"),
        ("fallThrough: {queue: raffle}", "fallThrough"),  # which is a draw
        ("fallThrough: {draw: raffle}", "fallThrough"),
        ("fallThrough: {queue: line, experience: drop}", "fallThrough"),
        ("fallThrough: {queue: 5}", "fallThrough"),
        ("fallThrough: line", "fallThrough"),
        ("fallThrough: {}", "fallThrough"),
        ("supportsGuest: null", "supportsGuest"),
        ("maxEntriesPerFingerprint: 0", "maxEntriesPerFingerprint"),
        ("admissionRate: 5", "admissionRate"),
        ("seed: abc", "seed"),
        ("draw_at: now", "draw_at"),
    ],
)
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "known"])
def test_one_wrong_setting(tmp_path: Path, given: str, name: str, is_known: bool) -> None:
    if is_known:
        apply(tmp_path, with_draw())
    assert list(refusal(tmp_path, with_draw(given))) == [f"{DRAW}.{name}"]


def test_a_draw_needs_its_hour(tmp_path: Path) -> None:
    text = with_draw().replace('drawAt: "2026-12-01T11:00:00Z", ', "")
    assert list(refusal(tmp_path, text)) == [f"{DRAW}.drawAt"]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = with_draw(
        "winnerCount: 0, claimSeconds: 0, endAt: now, weights: [{sequence: x, weight: 2}], foo: 1, "
        "beacon: {source: x}, fallThrough: {queue: x}",
        ", {slug: others, name: Others, draws: [{slug: a, drawAt: now+1h}, {name: B, drawAt: now+1h}, 7]}",
    )
    others = "experiences[0].sequences[1].draws"
    names = ("winnerCount", "claimSeconds", "endAt", "weights", "foo", "beacon", "fallThrough")
    expected = {f"{DRAW}.{name}" for name in names}
    assert set(refusal(tmp_path, text)) == expected | {
        f"{others}[0].name",
        f"{others}[1].slug",
        f"{others}[2]",
    }


def test_another_experiences_queue_and_sequence_are_out_of_reach(tmp_path: Path) -> None:
    more = """
  - {slug: other, name: Other, sequences: [
      {slug: theirs, name: Theirs, queues: [{slug: line, name: L}, {slug: far, name: Far}]}]}
"""
    text = """
organization: {slug: shop, name: Shop}
experiences:
  - slug: drop
    name: Drop
    sequences: [{slug: everyone, name: Everyone, draws: [{slug: raffle, name: R, drawAt: now+1h, %s}]}]
"""
    for settings, name in (
        ("fallThrough: {queue: far, sequence: theirs}", "fallThrough"),
        ("weights: [{sequence: theirs, weight: 2}]", "weights"),
    ):
        apply(tmp_path, text % "capacity: 5" + more)
        assert list(refusal(tmp_path, text % settings + more)) == [f"{DRAW}.{name}"]


# --- What can't change any more -------------------------------------------------------------------
OF_THE_ENTRIES = {
    "winnerCount": "2",
    "weights": "[{sequence: everyone, weight: 2}]",
    "beacon": "{source: drand}",
}
OF_THE_LIST = {
    **OF_THE_ENTRIES,
    "openAt": '"2026-12-01T08:00:00Z"',
    "closeAt": '"2026-12-01T10:30:00Z"',
    "drawAt": '"2026-12-01T12:00:00Z"',
    "capacity": "7",
    "claimSeconds": "60",
    "alternates": "false",
    "fallThrough": "{queue: line}",
}
ALWAYS = {"name": "Another", "supportsGuest": "false", "metadata": "{a: 1}", "maxEntriesPerFingerprint": "3"}
END = {"endAt": '"2026-12-02T00:00:00Z"'}


def changes(settings: dict[str, str]) -> list[str]:
    """For each setting a file that changes it alone."""
    return [
        with_draw(f"{name}: {value}").replace("name: The raffle, ", "") for name, value in settings.items()
    ]


def require_fixed(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    for name, text in zip(settings, changes(settings), strict=True):
        assert refusal(tmp_path, text) == {f"{DRAW}.{name}": said}


def require_free(tmp_path: Path, settings: dict[str, str]) -> None:
    for text in changes(settings):
        assert line_of(apply(tmp_path, text)).startswith("updated draw")


def test_before_anybody_enters_everything_may_change(tmp_path: Path) -> None:
    apply(tmp_path, with_draw())
    require_free(tmp_path, {**OF_THE_LIST, **ALWAYS, **END})


def test_once_somebody_has_entered(tmp_path: Path) -> None:
    """What receipts say, and what the key hangs on, stands; and still does when they have left."""
    world = world_of(tmp_path, with_draw())
    guest = world.consumer()
    guest.enter(the_draw())
    said = "Somebody has entered; this can't change any more."
    require_fixed(tmp_path, OF_THE_ENTRIES, said)
    guest.leave(the_draw())
    require_fixed(tmp_path, OF_THE_ENTRIES, said)
    require_free(
        tmp_path,
        {name: value for name, value in OF_THE_LIST.items() if name not in OF_THE_ENTRIES} | ALWAYS | END,
    )


@pytest.mark.parametrize("stage", ["closed", "frozen", "drawn"])
def test_once_entries_have_closed(tmp_path: Path, clock: Any, stage: str) -> None:
    world_of(tmp_path, with_draw())
    clock.shift(7200)
    if stage != "closed":
        tasks.freeze_draw(the_draw().pk)
    if stage == "drawn":
        tasks.run_draw(the_draw().pk)
    require_fixed(tmp_path, OF_THE_LIST, "Entries have closed; this can't change any more.")
    require_free(tmp_path, ALWAYS | END)


def test_once_staff_have_frozen_the_list(tmp_path: Path, clock: Any) -> None:
    """Before its hour, which can't be moved any more either."""
    world_of(tmp_path, with_draw())
    tasks.freeze_draw(the_draw().pk)
    require_fixed(tmp_path, OF_THE_LIST, "Entries have closed; this can't change any more.")


def test_once_it_has_ended(tmp_path: Path, clock: Any) -> None:
    apply(tmp_path, with_draw('endAt: "2026-12-01T12:00:00Z"'))
    clock.shift(3 * 3600)
    require_fixed(tmp_path, END, "The draw has ended.")


def test_once_staff_have_closed_it(tmp_path: Path) -> None:
    apply(tmp_path, with_draw())
    switches.close(the_draw(), now=time.now(), actor="staff:1")
    require_fixed(tmp_path, OF_THE_LIST | END, "It has closed for good; make a new one.")
    require_free(tmp_path, ALWAYS)


def test_relative_times_stay_unless_asked_and_then_only_while_they_may(tmp_path: Path, clock: Any) -> None:
    text = with_draw("openAt: now-1m, drawAt: now+1h, endAt: now+2h")
    apply(tmp_path, text)
    clock.shift(60)
    printed = apply(tmp_path, text)
    assert line_of(printed) == "unchanged draw drop/everyone/raffle"
    assert "--reset-times" in printed
    apply(tmp_path, text, "--reset-times")
    assert the_draw().draw.draw_at == START + dt.timedelta(minutes=61)
    clock.shift(3600)
    late = refusal(tmp_path, text, "--reset-times")
    assert set(late) == {f"{DRAW}.openAt", f"{DRAW}.drawAt"}
