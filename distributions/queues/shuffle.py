"""The pre-queue's draw: who entered before the opening gets a place by lot, once, checkably.

At opening the list is frozen: places 1…n are the pre-queue's tickets, and n more are set aside for the
draw, so that whoever comes after stands behind. The tickets are put in order as `core.selection` has it
(all of them win), and the ticket that is k-th in the drawn order gets the place n + k. Who left meanwhile
leaves a gap, which nobody waits in. `GET /queues/:id/proof` has all that it takes to repeat it.
"""

import datetime as dt
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import F

from distributions.core import catalog, drawings
from distributions.core.models import Distribution, Tally
from distributions.queues import line
from experiences import events

ACTOR = events.by_system("open_queue")


def freeze(distribution: Distribution) -> None:
    """End the pre-queue: tickets are those given by now, and as many places are set aside for the draw.

    One guarded update on the row that gives places, by whoever comes first: beat or an entry.
    """
    Tally.objects.filter(pk=distribution.pk, frozen=None).update(
        frozen=F("entered"), entered=F("entered") * 2
    )
    catalog.forget()


def draw(distribution: Distribution, *, now: dt.datetime) -> int:
    """Give the tickets their places; how many. Nothing the second time, or while another draws.

    Three transactions. The first is short: held while places are given, the tally's lock would stand
    against whoever leaves meanwhile, who locks in the other order. The second publishes the list's root
    before anything is drawn.
    """
    freeze(distribution)
    _list(distribution.pk, now)
    return _draw(distribution.pk, now)


@transaction.atomic(durable=True)
def _list(distribution_id: str, now: dt.datetime) -> None:
    drawing = drawings.locked(distribution_id)
    if drawing is not None and drawing.frozen_at is None:
        numbers = Tally.objects.values_list("frozen", flat=True).get(pk=distribution_id) or 0
        drawings.freeze(drawing, numbers=numbers, winners=None, at=lambda: now, actor=ACTOR)


@transaction.atomic(durable=True)
def _draw(distribution_id: str, now: dt.datetime) -> int:
    drawing = drawings.locked(distribution_id)
    if drawing is None or drawing.drawn_at is not None or drawing.frozen_at is None:
        return 0
    distribution = drawing.distribution
    order = drawings.draw(drawing, most=drawing.entries, at=lambda: now)
    # Locked in the order in which moves lock them: whoever leaves now waits, and leaves the new place.
    rows = line.waiting(distribution).filter(place__lte=drawing.numbers).select_for_update(no_key=True)
    tickets = dict(rows.values_list("place", "id").iterator(line.CHUNK))
    drawn = [(tickets[number], place) for place, number in enumerate(order, 1) if number in tickets]
    _give_places((identity, drawing.numbers + place) for identity, place in drawn)
    events.record(
        "queue.shuffled",
        distribution.organization_id,
        at=now,
        actor=ACTOR,
        distribution_id=distribution_id,
        data={
            "entries": drawing.entries,
            "root": drawing.root,
            "seed": bytes(drawing.seed or b"").hex(),
        },
    )
    transaction.on_commit(catalog.forget)
    return len(drawn)


def _give_places(pairs: Iterable[tuple[int, int]]) -> None:
    """Each participation its place; the new ones were never given, so no two meet on the way."""
    given = list(pairs)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE distributions_participation AS p SET place = n.place
            FROM unnest(%s::bigint[], %s::bigint[]) AS n (id, place)
            WHERE p.id = n.id AND p.status = 'QUEUED'
            """,
            [[identity for identity, _ in given], [place for _, place in given]],
        )
