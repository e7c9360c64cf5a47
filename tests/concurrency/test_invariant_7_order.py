"""Invariant 7: first come, first served, by the order in which entries commit."""

from contextlib import suppress

from django.db import connection

from distributions.core.models import Participation
from fanfare import errors
from tests.concurrency.race import race
from tests.lines import enter, events_of, make_consumers, require_true_tally
from tests.world import World

THREADS, EACH = 16, 20


def test_places_without_gap_in_the_order_of_commits(world: World) -> None:
    queue, people = world.queue(), make_consumers(world, THREADS * EACH)
    seen: list[list[int]] = [[] for _ in range(THREADS)]

    def enter_many(index: int) -> None:
        for consumer_id in people[index::THREADS]:
            seen[index].append(enter(queue, consumer_id).place or 0)

    race(THREADS, enter_many).all()

    for places in seen:  # whoever was answered stands before whoever asked later
        assert places == sorted(places)
    everyone = sorted(place for places in seen for place in places)
    assert everyone == list(range(1, THREADS * EACH + 1))
    trace = [event.data["place"] for event in events_of(queue)]
    assert sorted(trace) == everyone
    # PostgreSQL's own order of commits, where it can be told: a row's transaction id is given in the
    # statement that holds the tally's lock until it commits.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT place FROM distributions_participation WHERE distribution_id = %s ORDER BY id",
            [queue.pk],
        )
        by_identity = [row[0] for row in cursor.fetchall()]
    assert by_identity == everyone
    assert require_true_tally(queue).entered == THREADS * EACH


def test_who_is_refused_leaves_no_gap(world: World) -> None:
    """Entries that roll back, or find nothing free, take no place."""
    queue, people = world.queue(capacity=30), make_consumers(world, 60)

    def enter_twice(index: int) -> None:
        for consumer_id in people[index::12] * 2:
            with suppress(errors.Full):
                enter(queue, consumer_id)

    race(12, enter_twice).all()

    places = Participation.objects.filter(distribution=queue).order_by("place")
    assert list(places.values_list("place", flat=True)) == list(range(1, 31))
    require_true_tally(queue)
