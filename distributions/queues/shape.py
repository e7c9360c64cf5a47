"""How a queue and a standing in it look on the wire."""

import datetime as dt
from typing import Any

from rest_framework import serializers

from distributions.core import phases
from distributions.core.models import Distribution, Status
from distributions.core.standing import Standing
from distributions.core.status import StatusSerializer
from distributions.queues import line
from distributions.queues.models import Queue
from fanfare.api import IdField


class ShuffleSerializer(serializers.Serializer[Any]):
    """The pre-queue's draw: the commitment before, the seed and the frozen list's digest after."""

    commitment = serializers.CharField(help_text="SHA-256 of the seed, hexadecimal.")
    drawn_at = serializers.DateTimeField(required=False)
    seed = serializers.CharField(required=False)
    entries_digest = serializers.CharField(required=False)


class QueueSerializer(serializers.Serializer[Any]):
    """A queue as anyone with a key sees it."""

    id = IdField("queue")
    name = serializers.CharField()
    sequence_id = IdField("seq")
    experience_id = IdField("exp")
    status = serializers.ChoiceField([str(phase) for phase in phases.Phase])
    open_at = serializers.DateTimeField(allow_null=True)
    close_at = serializers.DateTimeField(allow_null=True)
    time_zone = serializers.CharField()
    capacity = serializers.IntegerField(
        allow_null=True, help_text="People in line at most; null: any number."
    )
    admission_rate = serializers.IntegerField(allow_null=True, help_text="A minute; null: by hand.")
    consumer_count = serializers.IntegerField(help_text="People in line.")
    supports_guest = serializers.BooleanField()
    shuffle = ShuffleSerializer(required=False)


class QueueStatusSerializer(StatusSerializer):
    """A DistributionStatus with what a queue adds."""

    queue_id = IdField("queue")
    position = serializers.IntegerField(
        required=False, min_value=0, help_text="From 1 when QUEUED; 0 once ADMITTED."
    )
    estimated_wait_time_in_seconds = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="In a queue with a rate; null while nobody can tell.",
    )


def present_queue(distribution: Distribution, now: dt.datetime) -> dict[str, Any]:
    """The body of a queue, also inside its experience."""
    queue, tally = distribution.queue, distribution.tally
    body = {
        "id": distribution.pk,
        "name": distribution.name,
        "sequence_id": distribution.sequence_id,
        "experience_id": distribution.sequence.experience_id,
        "status": phases.phase(distribution, now),
        "open_at": distribution.open_at,
        "close_at": distribution.close_at,
        "time_zone": _time_zone(distribution),
        "capacity": tally.places,
        "admission_rate": queue.admission_rate,
        "consumer_count": tally.taken,
        "supports_guest": distribution.supports_guest,
    }
    return body | ({"shuffle": _present_shuffle(queue)} if queue.randomize_before_open else {})


def _time_zone(distribution: Distribution) -> str:
    """Its own, or the next one above."""
    zones = (distribution.time_zone, distribution.sequence.experience.time_zone)
    return next(filter(None, zones), distribution.organization.time_zone)


def _present_shuffle(queue: Queue) -> dict[str, Any]:
    shown: dict[str, Any] = {"commitment": queue.commitment}
    if queue.shuffled_at is not None:
        drawn = {"drawn_at": queue.shuffled_at, "seed": bytes(queue.seed or b"").hex()}
        shown |= drawn | {"entries_digest": queue.entries_digest}
    return shown


def present_standing(distribution: Distribution, standing: Standing, now: dt.datetime) -> dict[str, Any]:
    """What a queue adds to a status: position, wait and poll advice."""
    if standing.status == Status.ADMITTED:
        return {"position": 0}
    if standing.status != Status.QUEUED:
        return {}
    position = standing.position or line.find_position(distribution, standing)
    wait = line.wait_seconds(distribution, position, now)
    body = {"position": position, "poll_after_seconds": line.poll_after(position, wait)}
    return body | ({"estimated_wait_time_in_seconds": wait} if distribution.queue.admission_rate else {})
