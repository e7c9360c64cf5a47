"""`manage.py crowd`: a small one over real HTTP, and its checks against what must not pass."""

import datetime as dt
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from distributions.core.models import Distribution, Participation
from distributions.crowd import checks
from distributions.crowd.checks import Terms
from distributions.crowd.person import Record
from distributions.crowd.waiter import WaitRecord
from distributions.crowd.wire import Span
from distributions.queues import rules
from fanfare import clock as time
from tests.conftest import START
from tests.releases import require_true_stock
from tests.world import World

PEOPLE = 15


@pytest.fixture
def queue(world: World) -> Iterator[Distribution]:
    """A queue that a thread admits from, as beat and worker do."""
    found = world.queue(admission_rate=1200, session_seconds=60)
    over = threading.Event()

    def admit() -> None:
        while not over.wait(0.1):
            rules.admit_batch(found.pk, now=time.now())
        connection.close()

    beat = threading.Thread(target=admit)
    beat.start()
    yield found
    over.set()
    beat.join()


def crowd(world: World, live_server: Any, queue_id: str, *options: str) -> str:
    out = io.StringIO()
    call_command(
        "crowd",
        queue_id,
        f"--people={PEOPLE}",
        "--concurrency=4",
        "--arrive-within=0.3",
        "--think=0.1",
        f"--base-url={live_server.url}",
        f"--publishable-key={world.publishable}",
        f"--secret-key={world.secret}",
        *options,
        stdout=out,
    )
    return out.getvalue()


def test_everyone_comes_through(world: World, live_server: Any, queue: Distribution, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    printed = crowd(world, live_server, queue.pk, "--leave=20", f"--report={path}")

    report = json.loads(path.read_text())
    assert report["entered"] == report["people"] == PEOPLE
    assert report["completed"] + report["left"] == PEOPLE
    assert (report["refused"], report["failures"], report["unfinished"]) == ({}, {}, 0)
    statuses = list(Participation.objects.filter(distribution=queue).values_list("status", flat=True))
    assert statuses.count("COMPLETED") == report["completed"]
    assert statuses.count("LEFT") == report["left"]
    assert [check["kept"] for check in report["checks"]] == [True] * 5
    assert all(check["weighed"] for check in report["checks"])
    assert {"p50", "p95", "p99"} == set(report["milliseconds"]["enter"])
    assert "15 entered" in printed


def test_cut_short_nobody_is_left_behind(world: World, live_server: Any) -> None:
    by_hand = world.queue()
    printed = crowd(world, live_server, by_hand.pk, "--for=5", "--leave=0")
    assert f"{PEOPLE} unfinished" in printed
    statuses = Participation.objects.filter(distribution=by_hand).values_list("status", flat=True)
    assert list(statuses) == ["LEFT"] * PEOPLE


def test_refusals_are_counted_by_code(world: World, live_server: Any) -> None:
    closed = world.queue(opens_in=-20, closes_in=-10)
    assert f"refused: {PEOPLE} QUEUE_CLOSED" in crowd(world, live_server, closed.pk)


def test_a_release_is_sold_to_the_last_unit(world: World, live_server: Any, tmp_path: Path) -> None:
    release, path = world.release(inventory=4, claim_seconds=5), tmp_path / "report.json"
    printed = crowd(world, live_server, release.pk, "--leave=0", f"--report={path}")
    report = json.loads(path.read_text())
    assert (report["entered"], report["completed"], report["inventory"]) == (4, 4, 4)
    assert report["refused"] == {"TIMED_RELEASE_SOLD_OUT": PEOPLE - 4}
    assert (report["failures"], report["unfinished"]) == ({}, 0)
    assert [check["kept"] for check in report["checks"]] == [True] * 3
    assert all(check["weighed"] for check in report["checks"])
    assert "units sold: 4 of 4" in printed
    assert require_true_stock(release).completed == 4


def test_a_waitlist_is_entered_and_some_leave(world: World, live_server: Any, tmp_path: Path) -> None:
    waitlist, path = world.waitlist(), tmp_path / "report.json"
    printed = crowd(world, live_server, waitlist.pk, "--leave=40", f"--report={path}")
    report = json.loads(path.read_text())
    assert (report["entered"], report["waiting"] + report["left"]) == (PEOPLE, PEOPLE)
    assert (report["refused"], report["failures"], report["unfinished"]) == ({}, {}, 0)
    assert [check["kept"] for check in report["checks"]] == [True] * 2
    assert all(check["weighed"] == PEOPLE for check in report["checks"])
    assert f"on the list at the end: {report['waiting']}" in printed
    rows = Participation.objects.filter(distribution=waitlist)
    assert rows.filter(status="QUEUED").count() == report["waiting"]
    assert rows.count() == PEOPLE


def test_a_list_that_forgets_or_doubles_somebody_is_found_out() -> None:
    kept = [WaitRecord(consumer_id=f"cons_{name}", names=frozenset([name])) for name in "ab"]
    assert checks.one_entry_each(kept).broken == checks.entries_hold(kept).broken == ()
    twice = WaitRecord(consumer_id="cons_c", names=frozenset("cd"))
    taken = WaitRecord(consumer_id="cons_e", names=frozenset("a"))
    assert len(checks.one_entry_each([*kept, twice]).broken) == 1
    assert len(checks.one_entry_each([*kept, taken]).broken) == 1
    lost = WaitRecord(consumer_id="cons_f", names=frozenset("f"), problems=["the status tells of another"])
    assert len(checks.entries_hold([*kept, lost]).broken) == 1


def test_who_gives_a_unit_back_is_no_buyer(world: World, live_server: Any, tmp_path: Path) -> None:
    release, path = world.release(), tmp_path / "report.json"
    crowd(world, live_server, release.pk, "--leave=40", f"--report={path}")
    report = json.loads(path.read_text())
    assert report["completed"] + report["left"] == PEOPLE
    assert report["left"] > 0
    tally = require_true_stock(release)
    assert (tally.completed, tally.returned) == (report["completed"], report["left"])


def test_one_unit_too_many_is_seen() -> None:
    sold = [record(0, 1, 0), record(1, 2, 1)]
    for one in sold:
        one.outcome = "COMPLETED"
    assert not checks.stock_kept(sold, 2).broken
    assert not checks.stock_kept(sold, None).broken
    assert checks.stock_kept(sold, 1).broken


def test_rate_limits_are_waited_for(world: World, live_server: Any, queue: Distribution) -> None:
    world.organization.rate_limits = {"authentication": 5}
    world.organization.save()
    printed = crowd(world, live_server, queue.pk, "--for=1")
    assert "told to wait: 10 RATE_LIMIT_EXCEEDED" in printed


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--publishable-key=pk_live_nope"], "AUTHENTICATION_REQUIRED"),
        ([], "QUEUE_NOT_FOUND"),
    ],
)
def test_what_can_not_start_says_why(world: World, live_server: Any, options: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        crowd(world, live_server, "queue_nope", *options)


def test_without_keys_and_demo_it_says_so(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with pytest.raises(CommandError, match="--publishable-key"):
        call_command("crowd", "queue_x")


def record(asked: float, answered: float, admitted: float | None, *positions: int) -> Record:
    """Somebody who entered between two instants and was admitted at a third; seconds."""
    found = Record(consumer_id=f"cons_{asked}", entry=Span(asked, answered), entered_at=START)
    found.positions = list(positions)
    if admitted is not None:
        found.admissions = {START + dt.timedelta(seconds=admitted)}
        found.tokens = {f"jti-{asked}"}
    return found


BY_RATE = Terms(rate=2)
BY_LOT = Terms(rate=None, drawn_at=START + dt.timedelta(seconds=1))


def test_order_is_judged_by_what_an_outsider_can_know() -> None:
    before, after = record(0, 1, 20), record(2, 3, 10)
    assert checks.in_order([before, after], BY_RATE).broken
    assert not checks.in_order([before, after], BY_LOT).broken
    assert not checks.in_order([record(0, 2.5, 20), after], BY_RATE).broken  # at the same time
    assert not checks.in_order([record(0, 1, 10), after], BY_RATE).broken  # in one batch
    late = record(4, 5, 15)
    late.entered_at = START + dt.timedelta(seconds=2)
    assert checks.in_order([before, after, late], BY_LOT).broken  # after the lot, order counts


def test_a_worse_position_is_seen() -> None:
    assert not checks.positions_never_worse([record(0, 1, None, 5, 5, 3)], BY_RATE).broken
    assert checks.positions_never_worse([record(0, 1, None, 5, 4, 6)], BY_RATE).broken
    assert not checks.positions_never_worse([record(0, 1, None, 5, 9, 8)], BY_LOT).broken  # the lot
    assert checks.positions_never_worse([record(0, 1, None, 5, 9, 8, 9)], BY_LOT).broken


def test_one_too_many_in_a_minute_is_seen() -> None:
    kept = [record(0, 1, 0), record(1, 2, 59.9), record(2, 3, 60)]
    assert not checks.rate_kept(kept, BY_RATE).broken
    assert checks.rate_kept([*kept, record(3, 4, 59.99)], BY_RATE).broken
    assert not checks.rate_kept([*kept, record(3, 4, 59.99)], Terms(rate=None)).broken


def test_two_admissions_are_seen() -> None:
    once = [record(0, 1, 5), record(1, 2, 5)]
    assert not checks.nobody_twice(once).broken
    once[1].tokens = {"jti-0"}
    assert checks.nobody_twice(once).broken
    twice = record(0, 1, 5)
    twice.admissions |= {START}
    assert checks.nobody_twice([twice]).broken


def test_a_broken_promise_fails_the_command(
    world: World, live_server: Any, queue: Distribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crowd is told a lower rate than the queue has."""
    monkeypatch.setattr(Terms, "of", classmethod(lambda cls, queue: Terms(rate=1)))
    with pytest.raises(CommandError, match="promise was broken"):
        crowd(world, live_server, queue.pk, "--for=1")
