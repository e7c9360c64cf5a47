"""The pre-queue's draw: who entered before the opening gets a place by lot, once, checkably.

Before the first entry a random seed is made and its SHA-256 (the commitment) is public. At opening the
list is frozen: places 1…n are the pre-queue's tickets, and n more are set aside for the draw, so that
whoever comes after stands behind. The draw orders the tickets by

    rank = HMAC-SHA256(key = seed, message = consumer id)

smallest first, and gives the places n+1, n+2, … in that order. Then the seed is public, with the
SHA-256 over the frozen list (consumer ids in order of entry, each followed by a line feed). What this
does not prove: that the operator, who could read the seed, entered nobody of their own.
"""

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import F

from distributions.core import catalog
from distributions.core.models import Distribution, Tally
from distributions.queues import line
from distributions.queues.models import Queue
from experiences import events


def commit(queue: Queue) -> None:
    """Make the seed of a queue that is to draw its order, once; the caller saves nothing."""
    if queue.randomize_before_open and queue.seed is None:
        seed = secrets.token_bytes(32)
        Queue.objects.filter(pk=queue.pk, seed=None).update(
            seed=seed, commitment=hashlib.sha256(seed).hexdigest()
        )
        queue.refresh_from_db(fields=["seed", "commitment"])


def freeze(distribution: Distribution) -> None:
    """End the pre-queue: tickets are those given by now, and as many places are set aside for the draw.

    One guarded update on the row that gives places, by whoever comes first: beat or an entry.
    """
    Tally.objects.filter(pk=distribution.pk, frozen=None).update(
        frozen=F("entered"), entered=F("entered") * 2
    )
    catalog.forget()


def rank(seed: bytes, consumer_id: str) -> bytes:
    """What decides a ticket's order; smaller is earlier."""
    return hmac.new(seed, consumer_id.encode(), hashlib.sha256).digest()


def digest(consumer_ids: Iterable[str]) -> str:
    """SHA-256 over the frozen list."""
    whole = hashlib.sha256()
    for consumer_id in consumer_ids:
        whole.update(f"{consumer_id}\n".encode())
    return whole.hexdigest()


def draw(distribution: Distribution, *, now: dt.datetime) -> int:
    """Give the tickets their places; how many. Nothing the second time, or while another draws.

    The list is frozen in a transaction of its own: held while places are given, the tally's lock would
    stand against whoever leaves meanwhile, who locks in the other order.
    """
    freeze(distribution)
    return _draw(distribution.pk, now)


@transaction.atomic(durable=True)
def _draw(distribution_id: str, now: dt.datetime) -> int:
    queue = (
        Queue.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
        .select_related("distribution")
        .filter(pk=distribution_id)
        .first()
    )
    if queue is None or queue.shuffled_at is not None or queue.seed is None:
        return 0
    distribution = queue.distribution
    frozen = Tally.objects.values_list("frozen", flat=True).get(pk=distribution_id) or 0
    # Locked in the order in which moves lock them: whoever leaves now waits, and leaves the new place.
    rows = line.waiting(distribution).filter(place__lte=frozen).select_for_update(no_key=True)
    tickets = list(rows.values_list("consumer_id", "id").iterator(line.CHUNK))
    seed = bytes(queue.seed)
    drawn = sorted(tickets, key=lambda ticket: rank(seed, ticket[0]))
    _give_places([identity for _, identity in drawn], first=frozen + 1)
    found = digest(consumer_id for consumer_id, _ in tickets)
    Queue.objects.filter(pk=distribution_id).update(shuffled_at=now, entries_digest=found)
    events.record(
        "queue.shuffled",
        distribution.organization_id,
        at=now,
        actor=events.by_system("open_queue"),
        distribution_id=distribution_id,
        data={"entries": len(tickets), "entriesDigest": found, "seed": seed.hex()},
    )
    return len(tickets)


def _give_places(participation_ids: list[int], *, first: int) -> None:
    """Places in this order; the new ones were never given, so no two meet on the way."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE distributions_participation AS p SET place = %s + n.number - 1
            FROM unnest(%s::bigint[]) WITH ORDINALITY AS n (id, number)
            WHERE p.id = n.id AND p.status = 'QUEUED'
            """,
            [first, participation_ids],
        )
