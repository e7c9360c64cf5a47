"""The console's home: what is live, what opens next, what needs attention; for whom, and at what cost."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consumers.models import Message
from distributions import tasks
from distributions.core import switches
from distributions.core.models import Distribution
from distributions.draws import rules
from distributions.draws.beacon import CHAINS, QUICKNET
from experiences.models import Experience, Sequence
from fanfare import clock as time
from fanfare import redis
from tests import notices
from tests.console.conftest import Console, make_user
from tests.console.pages import text_of
from tests.world import World, make_queue

HOME = reverse("admin:index")


def home(who: Console) -> Any:
    page = who.get(HOME)
    assert page.status_code == 200
    return page


def live(page: Any) -> dict[str, tuple[str, str]]:
    """Line of figures and clock by slug."""
    return {
        row["thing"].distribution.slug: (row["thing"].line, row["thing"].clock)
        for row in page.context["live"]
    }


def attention(page: Any) -> list[str]:
    """Titles, the urgent first."""
    return [notice.title for notice in page.context["notices"]]


@pytest.fixture(autouse=True)
def _worker(transactional_db: None) -> None:
    """One was just seen."""
    beat()


def beat(ago: float = 0) -> None:
    at = time.now() - dt.timedelta(seconds=ago)
    redis.client().set(redis.HEARTBEAT, at.isoformat())


def round_after(seconds: float) -> int:
    """The beacon's first round so long from now."""
    return CHAINS[QUICKNET].first_after(time.now() + dt.timedelta(seconds=seconds))


# --- Live, and next -------------------------------------------------------------------------------
def test_what_is_live_has_its_figures(world: World, viewer: Console, clock: Any) -> None:
    beat()
    queue = world.queue(capacity=50, admission_rate=60, closes_in=5400)
    draw, auction, release = world.draw(), world.auction(), world.release(inventory=3)
    waitlist = world.waitlist()
    people = [world.consumer() for _ in range(3)]
    for one in people:
        one.enter(queue)
    people[0].bid(auction, "100.00")
    people[0].enter(draw)
    people[0].enter(release)
    found = live(home(viewer))
    assert found[queue.slug] == ("3 waiting · 0 inside · 0 completed · 60 a minute", "closes in 1 h 30 min")
    assert found[draw.slug] == ("1 entry · 1 place", "drawn in 1 min")
    assert found[auction.slug] == ("100.00\N{NO-BREAK SPACE}EUR · 1 bid · 1 bidder", "closes in 10 min")
    assert found[release.slug] == ("2 of 3 left · 1 claimed · 0 completed", "no end is set")
    assert found[waitlist.slug] == ("0 on it", "no end is set")
    assert reverse("admin:distributions_distribution_press", args=[queue.pk, "live"]) in text_of(home(viewer))


def test_what_is_over_is_not_live(world: World, viewer: Console, clock: Any) -> None:
    beat()
    queue, closed = world.queue(closes_in=60), world.queue()
    draw, auction = world.draw(draws_in=60), world.auction(ends_in=60)
    switches.close(closed, now=time.now(), actor="system:test")
    assert set(live(home(viewer))) == {queue.slug, draw.slug, auction.slug}
    clock.shift(60)
    assert live(home(viewer)) == {}


def test_what_opens_next_counts_down_in_its_zone(world: World, viewer: Console, clock: Any) -> None:
    beat()
    later, sooner = world.queue(opens_in=90_000, admission_rate=5), world.queue(opens_in=125, capacity=1000)
    Distribution.objects.filter(pk=sooner.pk).update(time_zone="Asia/Tokyo")
    page = home(viewer)
    rows = [row["thing"] for row in page.context["next"]]
    assert [(row.distribution.slug, row.clock) for row in rows] == [
        (sooner.slug, "in 2 min 5 s"),
        (later.slug, "in 1 d 1 h"),
    ]
    assert rows[0].at.replace("\N{NO-BREAK SPACE}", " ") == "Tue 1 Dec, 18:02 JST"
    assert rows[0].line == "1,000 in line · admitted by hand"
    assert not page.context["live"]


def test_it_looks_anew_by_itself(world: World, viewer: Console) -> None:
    page = text_of(home(viewer))
    assert 'hx-get="/admin/"' in page
    assert 'hx-trigger="every 5s"' in page


def test_only_ones_own_is_there(
    world: World, other_world: World, viewer: Console, stranger: Console, superuser: Console
) -> None:
    mine, theirs = world.queue(), other_world.queue()
    soon = make_queue(other_world.sequence, opens_in=60)
    switches.pause(theirs, now=time.now(), actor="system:test")
    assert set(live(home(viewer))) == {mine.slug}
    assert "Rival" not in text_of(home(viewer))
    assert attention(home(viewer)) == ["The line is open without a rate"]
    assert set(live(home(stranger))) == {theirs.slug}
    assert [row["thing"].distribution for row in home(stranger).context["next"]] == [soon]
    assert set(live(home(superuser))) == {mine.slug, theirs.slug}
    nobody = make_user("nora")
    assert (live(home(nobody)), attention(home(nobody))) == ({}, [])


def test_it_asks_as_often_whatever_there_is(world: World, viewer: Console) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            for made in (world.queue(opens_in=60), world.queue(), world.release(), world.appointment()):
                switches.pause(made, now=time.now(), actor="system:test")
            for made in (world.auction(ends_in=60), world.draw(), world.queue()):
                assert made

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            home(viewer)
        return len(asked)

    fill(1)
    home(viewer)
    few = queries()
    fill(6)
    assert queries() == few <= 12


# --- Attention ------------------------------------------------------------------------------------
def test_calm_needs_no_attention(world: World, viewer: Console) -> None:
    world.queue(admission_rate=60)
    world.draw(draws_in=3600)
    world.auction(ends_in=7200)
    world.release(inventory=0)
    world.queue(opens_in=60)
    page = home(viewer)
    assert attention(page) == []
    assert "Needs attention" not in text_of(page)


def test_a_worker_that_was_not_seen(world: World, viewer: Console) -> None:
    beat(ago=45)
    assert attention(home(viewer)) == []
    beat(ago=61)
    assert attention(home(viewer)) == ["No worker"]
    assert "No worker was seen for 1 min" in text_of(home(viewer))
    redis.client().delete(redis.HEARTBEAT)
    assert attention(home(viewer)) == ["No worker"]


def test_redis_that_is_away(world: World, viewer: Console, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    redis.reset()
    found = attention(home(viewer))
    settings.REDIS_URL = ""
    assert found == ["Redis is away"]


def test_a_paused_queue(world: World, viewer: Console, clock: Any) -> None:
    beat()
    queue = world.queue(admission_rate=60)
    switches.pause(queue, now=time.now(), actor="system:test")
    clock.shift(30)
    page = home(viewer)
    assert attention(page) == ["The line is paused"]
    assert "Paused for 30 s." in text_of(page)
    switches.resume(queue, now=time.now(), actor="system:test")
    assert attention(home(viewer)) == []


def test_a_queue_without_a_rate_is_urgent_when_somebody_waits(world: World, viewer: Console) -> None:
    queue = world.queue()
    (notice,) = home(viewer).context["notices"]
    assert (notice.title, notice.is_urgent) == ("The line is open without a rate", False)
    world.consumer().enter(queue)
    (notice,) = home(viewer).context["notices"]
    assert (notice.text, notice.is_urgent) == ("1 wait, and nobody is admitted but by hand.", True)


def test_an_auction_without_bids_before_its_end(world: World, viewer: Console, clock: Any) -> None:
    beat()
    auction = world.auction(ends_in=3700)
    assert attention(home(viewer)) == []
    clock.shift(200)
    beat()
    assert attention(home(viewer)) == ["The auction has no bid"]
    world.consumer().bid(auction, "100.00")
    assert attention(home(viewer)) == []
    clock.shift(3_700)
    beat()
    assert attention(home(viewer)) == ["The auction is not settled"]


def test_a_draw_that_is_due(world: World, viewer: Console, clock: Any) -> None:
    draw = world.draw(draws_in=60)
    world.consumer().enter(draw)
    for passed, found in ((60, []), (61, ["The draw is not drawn"])):
        clock.shift(passed)
        beat()
        assert attention(home(viewer)) == found
    rules.freeze(draw.pk, now=time.now(), actor="system:test")
    tasks.run_draw(draw.pk)
    assert attention(home(viewer)) == []


def test_a_draw_that_waits_for_its_beacon(world: World, viewer: Console, clock: Any) -> None:
    from_drand = {"source": "drand", "chain": QUICKNET, "round": round_after(600)}
    world.draw(draws_in=60, beacon=from_drand)
    clock.shift(180)
    beat()
    assert attention(home(viewer)) == []  # it is not due before its round
    clock.shift(600)
    beat()
    page = home(viewer)
    assert attention(page) == ["The draw waits for its beacon"]
    assert f"round {from_drand['round']} of its beacon" in text_of(page)


def test_messages_that_nobody_tries_any_more(world: World, viewer: Console, stranger: Console) -> None:
    member = world.member("ada@example.com")
    notices.post(member)
    Message.objects.update(tries=5, problem="OSError: no route", sent_at=None, box=b"x")
    page = home(viewer)
    assert attention(page) == ["Messages fail"]
    assert "1 messages could not be sent" not in text_of(page)
    assert reverse("admin:consumers_message_changelist") in text_of(page)
    assert attention(home(stranger)) == []
    Message.objects.update(tries=4)
    assert attention(home(viewer)) == []


# --- Nothing yet ----------------------------------------------------------------------------------
def test_a_newcomer_is_led_to_the_first_drop(
    world: World, editor: Console, viewer: Console, superuser: Console
) -> None:
    assert "Nothing is live." in text_of(home(editor))
    assert reverse("admin:experiences_experience_change", args=[world.sequence.experience_id]) in text_of(
        home(editor)
    )
    Sequence.objects.all().delete()
    Experience.objects.all().delete()
    page = text_of(home(editor))
    assert "Your first drop" in page
    assert reverse("admin:experiences_experience_add") in page
    assert reverse("import") in page
    page = text_of(home(viewer))
    assert reverse("admin:experiences_experience_add") not in page
    assert "Editors and owners set drops up" in page
    world.organization.delete()
    assert "Add an organization first" in text_of(home(superuser))
