"""`GET /experiences/:id`: one launch, whole, with an ETag."""

import datetime as dt
from typing import Any

import pytest

from experiences.models import Experience, Sequence
from fanfare import clock as time
from fanfare import ids
from tests.world import ApiClient, World, assert_error, make_queue, make_world


def path(world: World) -> str:
    return f"/experiences/{world.sequence.experience_id}"


def test_an_experience_shows_everything_inside(world: World, clock: Any) -> None:
    experience = world.sequence.experience
    first = Sequence.objects.create(
        experience=experience,
        slug="members",
        name="Members",
        color="#aabbcc",
        priority=5,
        requires_authentication=True,
    )
    queue = world.queue(capacity=5)
    answer = world.shop_front().get(path(world))
    assert answer.json() == {
        "id": experience.id,
        "name": "Drop",
        "description": "",
        "openAt": None,
        "closeAt": None,
        "timeZone": None,
        "theme": None,
        "sequences": [
            {
                "id": first.id,
                "name": "Members",
                "color": "#aabbcc",
                "priority": 5,
                "requires": ["authentication"],
                "next": None,
                "waitlist": None,
                **{name: [] for name in ("queues", "draws", "auctions", "appointments", "timedReleases")},
            },
            {
                "id": world.sequence.id,
                "name": "Everyone",
                "color": None,
                "priority": 0,
                "requires": [],
                "next": None,
                "waitlist": None,
                "queues": [world.shop_front().get(f"/queues/{queue.pk}").json()],
                **{name: [] for name in ("draws", "auctions", "appointments", "timedReleases")},
            },
        ],
    }


def test_what_is_set_is_shown(world: World) -> None:
    theme = {"primaryColor": "#112233", "fontFamily": "Inter, sans-serif", "containerStyle": "card"}
    Experience.objects.filter(pk=world.sequence.experience_id).update(
        theme=theme, time_zone="Europe/Berlin", description="All of it."
    )
    body = world.shop_front().get(path(world)).json()
    assert (body["theme"], body["timeZone"], body["description"]) == (theme, "Europe/Berlin", "All of it.")


def test_its_times_are_the_earliest_and_latest_inside_unless_set(world: World, clock: Any) -> None:
    other = Sequence.objects.create(experience=world.sequence.experience, slug="other", name="Other")
    world.queue(opens_in=60, closes_in=120)
    make_queue(other, opens_in=30, closes_in=90)
    body = world.shop_front().get(path(world)).json()
    assert (body["openAt"], body["closeAt"]) == ("2026-12-01T09:00:30Z", "2026-12-01T09:02:00Z")
    opens, closes = time.now() + dt.timedelta(hours=1), time.now() + dt.timedelta(hours=2)
    Experience.objects.filter(pk=other.experience_id).update(open_at=opens, close_at=closes)
    body = world.shop_front().get(path(world)).json()
    assert (body["openAt"], body["closeAt"]) == ("2026-12-01T10:00:00Z", "2026-12-01T11:00:00Z")


def test_one_without_an_opening_or_an_end_leaves_none(world: World, clock: Any) -> None:
    world.queue(opens_in=60, closes_in=120)
    world.queue()
    body = world.shop_front().get(path(world)).json()
    assert (body["openAt"], body["closeAt"]) == (None, None)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_an_unchanged_one_is_not_sent_again(world: World, clock: Any, form: str) -> None:
    world.queue()
    first = world.shop_front().get(path(world))
    assert first.headers["Cache-Control"] == "public, max-age=1"
    assert {"X-Publishable-Key", "Authorization"} <= set(first.headers["Vary"].split(", "))
    asked = {"If-None-Match": form.format(first.headers["ETag"])}
    again = world.shop_front().get(path(world), **asked)
    assert (again.status_code, again.content) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again.headers[name] == first.headers[name]


def test_a_changed_one_is(world: World, clock: Any) -> None:
    queue = world.queue(opens_in=60)
    tag = world.shop_front().get(path(world)).headers["ETag"]
    clock.shift(60)  # it opens
    opened = world.shop_front().get(path(world), **{"If-None-Match": tag})
    assert opened.status_code == 200
    world.consumer().enter(queue)
    answer = world.shop_front().get(path(world), **{"If-None-Match": opened.headers["ETag"]})
    assert answer.json()["sequences"][0]["queues"][0]["consumerCount"] == 1


def test_who_may_see_it(world: World) -> None:
    for client in (world.shop_front(), world.server(), world.consumer()):
        assert client.get(path(world)).status_code == 200
    assert_error(ApiClient({}).get(path(world)), 401, "Authentication required")


def test_another_tenants_is_not_there(world: World) -> None:
    stranger = make_world()
    answers = [
        world.shop_front().get(f"/experiences/{found}", **{"X-Request-Id": "same", "If-None-Match": "*"})
        for found in (stranger.sequence.experience_id, ids.new("exp"), "exp_", "a.b", world.sequence.id)
    ]
    for answer in answers:
        assert_error(answer, 404, "Experience not found", "EXPERIENCE_NOT_FOUND")
    assert len({answer.content for answer in answers}) == 1
