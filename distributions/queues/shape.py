"""How a queue and a standing in it look on the wire."""

import datetime as dt
from typing import Any

from rest_framework import serializers

from distributions.core import drawings, phases, proofs, shape
from distributions.core.models import Distribution, Status
from distributions.core.shape import DistributionSerializer, HashField, ReceiptSerializer
from distributions.core.standing import Standing
from distributions.core.status import StatusSerializer
from distributions.queues import line
from fanfare import errors
from fanfare.api import IdField


class ShuffleSerializer(serializers.Serializer[Any]):
    """The pre-queue's draw: the commitment before, the seed and the frozen list's root after."""

    commitment = HashField(help_text="SHA-256 of the seed.")
    drawn_at = serializers.DateTimeField(required=False)
    seed = HashField(required=False)
    root = HashField(required=False)  # type: ignore[assignment]


class QueueSerializer(DistributionSerializer):
    """A queue as anyone with a key sees it."""

    id = IdField("queue")
    status = serializers.ChoiceField([str(phase) for phase in phases.Phase])
    capacity = serializers.IntegerField(
        allow_null=True, help_text="People in line at most; null: any number."
    )
    admission_rate = serializers.IntegerField(allow_null=True, help_text="A minute; null: by hand.")
    consumer_count = serializers.IntegerField(help_text="People in line.")
    enter_from = serializers.DateTimeField(
        required=False, help_text="Where one may come in before it opens: from when on."
    )
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
    receipt = ReceiptSerializer(required=False, help_text="In a pre-queue whose order is to be drawn.")


def present_queue(distribution: Distribution, now: dt.datetime) -> dict[str, Any]:
    """The body of a queue, also inside its experience."""
    queue, tally = distribution.queue, distribution.tally
    body = shape.present(
        distribution,
        status=phases.phase(distribution, now),
        capacity=tally.places,
        admission_rate=queue.admission_rate,
        consumer_count=tally.taken,
    )
    body |= {} if queue.enter_from is None else {"enter_from": queue.enter_from}
    return body | ({"shuffle": _present_shuffle(distribution)} if queue.randomize_before_open else {})


def _present_shuffle(distribution: Distribution) -> dict[str, Any]:
    drawing = distribution.drawing
    shown: dict[str, Any] = {"commitment": drawing.commitment}
    if drawing.drawn_at is not None:
        seed = bytes(drawing.seed or b"").hex()
        shown |= {"drawn_at": drawing.drawn_at, "seed": seed, "root": drawing.root}
    return shown


def present_result(distribution: Distribution, most: int) -> dict[str, Any]:
    """Nothing beside the proof: all tickets are put in order, and anyone can."""
    return {}


def present_proof(distribution: Distribution) -> dict[str, Any]:
    """All of the pre-queue's proof but the entries. Raises NotFound where no order is drawn by lot."""
    if drawings.of(distribution) is None:
        raise errors.NotFound("Proof")
    return proofs.head(distribution, winners=None)


def present_standing(distribution: Distribution, standing: Standing, now: dt.datetime) -> dict[str, Any]:
    """What a queue adds to a status: position, wait and poll advice."""
    if standing.status == Status.ADMITTED:
        return {"position": 0}
    if standing.status != Status.QUEUED:
        return {}
    position = standing.position or line.find_position(distribution, standing)
    wait = line.wait_seconds(distribution, position, now)
    body: dict[str, Any] = {"position": position, "poll_after_seconds": line.poll_after(position, wait)}
    if _is_ticket(distribution, standing):
        body["receipt"] = drawings.receipt(distribution, standing)
    return body | ({"estimated_wait_time_in_seconds": wait} if distribution.queue.admission_rate else {})


def _is_ticket(distribution: Distribution, standing: Standing) -> bool:
    """Whether the place is a ticket of a pre-queue that is yet to be drawn."""
    drawing = drawings.of(distribution) if distribution.queue.randomize_before_open else None
    if drawing is None or drawing.drawn_at is not None:
        return False
    frozen = distribution.tally.frozen
    return frozen is None or (standing.place or 0) <= frozen
