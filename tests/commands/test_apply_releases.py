"""`manage.py apply`: timed releases in a file: their settings, what is wrong, what can't change any more."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from distributions import tasks
from distributions.core.models import Distribution, Tally
from distributions.timed_releases.models import TimedRelease
from experiences.models import Event
from tests.commands.test_apply import apply
from tests.conftest import START
from tests.releases import claim, require_sold_out
from tests.world import World

pytestmark = pytest.mark.usefixtures("transactional_db", "clock")

RELEASE = "experiences[0].sequences[0].timedReleases[0]"
EVERYTHING = (
    "openAt: now-1m, closeAt: now+10m, inventory: 40, claimSeconds: 120, maxPerConsumer: 2, "
    "supportsGuest: false, maxEntriesPerFingerprint: 3, timeZone: Asia/Tokyo, metadata: {sku: A}"
)


def with_release(settings: str = "") -> str:
    """A file whose release has these settings beside slug and name."""
    name = "" if "name:" in settings else "name: The drop, "
    return f"""
organization: {{slug: shop, name: Shop}}
experiences: [{{slug: drop, name: Drop, sequences: [{{slug: everyone, name: Everyone,
  timedReleases: [{{slug: flash, {name}{settings}}}]}}]}}]
"""


def the_release() -> Distribution:
    return Distribution.objects.select_related("timed_release", "tally", "sequence", "organization").get()


def line_of(printed: str) -> str:
    """What is said of the release."""
    (line,) = [line for line in printed.splitlines() if "drop/everyone/flash" in line]
    return " ".join(line.split())


def everything() -> list[Any]:
    tables = (Distribution, Tally, TimedRelease, Event, TimedRelease.history.model)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def refusal(tmp_path: Path, text: str) -> dict[str, str]:
    """What was wrong, by path; nothing may have changed."""
    before = everything()
    with pytest.raises(CommandError) as problem:
        apply(tmp_path, text)
    assert everything() == before
    first, *lines = str(problem.value).splitlines()
    assert first == "Nothing was changed."
    parts = [line.removeprefix(f"{tmp_path}/drop.yaml: ").partition(": ") for line in lines]
    return {path: said for path, _, said in parts}


def world_of(tmp_path: Path, text: str) -> World:
    """The shop that the file makes."""
    made = json.loads(apply(tmp_path, text, "--json"))["organization"]
    release = the_release()
    return World(release.organization, release.sequence, made["publishableKey"], made["secretKey"])


def test_every_setting_is_kept(tmp_path: Path) -> None:
    assert line_of(apply(tmp_path, with_release(EVERYTHING))) == "created timed release drop/everyone/flash"
    found = the_release()
    release = found.timed_release
    assert (found.tally.places, release.claim_seconds, release.max_per_consumer) == (40, 120, 2)
    assert (found.supports_guest, found.max_entries_per_fingerprint) == (False, 3)
    assert (found.time_zone, found.metadata) == ("Asia/Tokyo", {"sku": "A"})
    assert (found.open_at, found.close_at) == (
        START - dt.timedelta(minutes=1), START + dt.timedelta(minutes=10),
    )  # fmt: skip


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    apply(tmp_path, with_release())
    found = the_release()
    assert (found.tally.places, found.timed_release.claim_seconds) == (None, None)
    assert (found.timed_release.max_per_consumer, found.supports_guest) == (1, True)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ("inventory: -1", "inventory"), ("inventory: 1000000001", "inventory"),
        ("inventory: many", "inventory"), ("inventory: 1.5", "inventory"), ("inventory: true", "inventory"),
        ("claimSeconds: 0", "claimSeconds"), ("claimSeconds: 2592001", "claimSeconds"),
        ("claimSeconds: -5", "claimSeconds"),
        ("maxPerConsumer: 0", "maxPerConsumer"), ("maxPerConsumer: 1001", "maxPerConsumer"),
        ("maxPerConsumer: null", "maxPerConsumer"), ("maxPerConsumer: -1", "maxPerConsumer"),
        ("openAt: now+1h, closeAt: now", "closeAt"), ("capacity: 5", "capacity"),
        ("winnerCount: 5", "winnerCount"), ("drawAt: now", "drawAt"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, settings: str, wrong: str) -> None:
    assert list(refusal(tmp_path, with_release(settings))) == [f"{RELEASE}.{wrong}"]


def test_none_at_all_and_without_limit(tmp_path: Path) -> None:
    world = world_of(tmp_path, with_release("inventory: 0"))
    require_sold_out(world.consumer().enter(the_release()), None)
    said = line_of(apply(tmp_path, with_release("inventory: null")))
    assert said == "updated timed release drop/everyone/flash: inventory 0 → none"
    assert claim(the_release(), world.consumer())


def test_the_same_file_again_changes_nothing_whatever_became_of_it(tmp_path: Path, clock: Any) -> None:
    text = with_release(EVERYTHING.replace("false", "true"))
    world = world_of(tmp_path, text)

    def require_unchanged() -> None:
        before = everything()
        for options in ((), ("--dry-run",)):
            assert line_of(apply(tmp_path, text, *options)) == "unchanged timed release drop/everyone/flash"
        assert everything() == before

    require_unchanged()
    claim(the_release(), world.consumer())
    for seconds in (0, 120, 600):  # claimed, expired, closed
        clock.shift(seconds)
        tasks.tick_doors()
        tasks.expire_admissions()
        require_unchanged()
    assert the_release().closed_at is not None


def test_what_differs_is_changed_kept_in_the_history_and_traced(tmp_path: Path) -> None:
    apply(tmp_path, with_release("inventory: 10, claimSeconds: 60"))
    last = Event.objects.order_by("-id")[0].pk
    said = line_of(apply(tmp_path, with_release("inventory: 20, claimSeconds: null, maxPerConsumer: 2")))
    head, _, told = said.partition(": ")
    assert head == "updated timed release drop/everyone/flash"
    assert set(told.split(", ")) == {"inventory 10 → 20", "claimSeconds 60 → none", "maxPerConsumer 1 → 2"}
    (event,) = Event.objects.filter(id__gt=last)
    assert (event.name, event.actor) == ("settings.changed", "system:apply")
    assert event.data["before"] == {"inventory": 10, "claimSeconds": 60, "maxPerConsumer": 1}
    assert event.data["after"] == {"inventory": 20, "claimSeconds": None, "maxPerConsumer": 2}
    history = TimedRelease.history.order_by("history_id")
    assert [(row.claim_seconds, row.max_per_consumer) for row in history] == [(60, 1), (None, 2)]


def test_other_claims_keep_the_time_they_were_given(tmp_path: Path, clock: Any) -> None:
    world = world_of(tmp_path, with_release("claimSeconds: 60"))
    first, second = world.consumer(), world.consumer()
    claim(the_release(), first)
    apply(tmp_path, with_release("claimSeconds: 600"))
    assert first.status(the_release()).json()["expiresAt"] == "2026-12-01T09:01:00Z"
    assert claim(the_release(), second)["expiresAt"] == "2026-12-01T09:10:00Z"


def test_what_has_closed_is_fixed(tmp_path: Path, clock: Any) -> None:
    apply(tmp_path, with_release("inventory: 5, closeAt: now+10m"))
    times = {"closeAt": '"2026-12-01T10:00:00Z"', "openAt": '"2026-12-01T08:00:00Z"'}
    clock.shift(600)
    tasks.tick_doors()
    said = {
        name: refusal(tmp_path, with_release(f"inventory: 5, {name}: {value}")).get(f"{RELEASE}.{name}", "")
        for name, value in times.items()
    }
    said["inventory"] = refusal(tmp_path, with_release("inventory: 6"))[f"{RELEASE}.inventory"]
    assert set(said.values()) == {"It has closed for good; make a new one."}
    named = line_of(apply(tmp_path, with_release("inventory: 5, name: Over, claimSeconds: 9")))
    assert named.startswith("updated timed release drop/everyone/flash: ")


def test_no_relative_time_moves_what_is_there(tmp_path: Path, clock: Any) -> None:
    text = with_release("openAt: now, closeAt: now+10m")
    world = world_of(tmp_path, text)
    clock.shift(60)
    assert line_of(apply(tmp_path, text)).startswith("unchanged")
    assert world.shop_front().get(f"/timed-releases/{the_release().pk}").json()["closeAt"] == (
        "2026-12-01T09:10:00Z"
    )


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    before = everything()
    assert line_of(apply(tmp_path, with_release(EVERYTHING), "--dry-run")).startswith("created timed release")
    planned = json.loads(apply(tmp_path, with_release(EVERYTHING), "--dry-run", "--json"))
    assert planned["experiences"]["drop"]["sequences"]["everyone"]["timedReleases"] == {"flash": None}
    assert everything() == before
