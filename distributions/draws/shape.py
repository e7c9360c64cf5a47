"""How a draw, a standing in it and its proof look on the wire."""

import datetime as dt
from typing import Any

from rest_framework import serializers

from distributions.core import drawings, polling, proofs, shape
from distributions.core.models import Distribution, Kind, Reason, Status
from distributions.core.shape import BeaconSerializer, DistributionSerializer, HashField, ReceiptSerializer
from distributions.core.standing import Standing
from distributions.core.status import StatusSerializer
from distributions.draws import results, rules
from distributions.draws.rules import DrawPhase
from fanfare.api import IdField


class VerificationSerializer(serializers.Serializer[Any]):
    """What anyone needs to know before they ask for the proof."""

    level = serializers.ChoiceField(["commit-reveal", "beacon"])
    status = serializers.ChoiceField(["COMMITTED", "FROZEN", "WAITING_FOR_BEACON", "DRAWN", "CANCELLED"])
    beacon = BeaconSerializer(required=False)
    frozen_at = serializers.DateTimeField(required=False)
    entry_count = serializers.IntegerField(required=False)
    root = HashField(required=False)  # type: ignore[assignment]
    drawn_at = serializers.DateTimeField(required=False)
    seed = HashField(required=False)


_OF_VERIFICATION = tuple(VerificationSerializer().get_fields())


class WeightSerializer(serializers.Serializer[Any]):
    """How many tickets an entry has of whoever meets a sequence's conditions."""

    sequence = serializers.CharField(help_text="Its slug.")
    weight = serializers.IntegerField(min_value=1, max_value=100)


class DrawSerializer(DistributionSerializer):
    """A draw as anyone with a key sees it."""

    id = IdField("draw")
    status = serializers.ChoiceField([str(phase) for phase in DrawPhase])
    draw_at = serializers.DateTimeField()
    winner_count = serializers.IntegerField()
    capacity = serializers.IntegerField(allow_null=True, help_text="Entries at most; null: any number.")
    entrant_count = serializers.IntegerField()
    claim_seconds = serializers.IntegerField(allow_null=True, help_text="To claim a place; null: no limit.")
    alternates = serializers.BooleanField(help_text="Whether what is not claimed goes to the next.")
    end_at = serializers.DateTimeField(allow_null=True, help_text="No place is passed on from then on.")
    weights = WeightSerializer(many=True, help_text="Declared bias; every other entry has the weight 1.")
    commitment = HashField(help_text="SHA-256 of the seed, public before anybody enters.")
    verification = VerificationSerializer()


class DrawStatusSerializer(StatusSerializer):
    """A DistributionStatus with what a draw adds."""

    draw_id = IdField("draw")
    draw_status = serializers.ChoiceField(
        ["ENTERED", "WON", "LOST"],
        required=False,
        help_text="ENTERED also while one waits as an alternate, who may still get a place.",
    )
    entry_number = serializers.IntegerField(required=False, min_value=1)
    receipt = ReceiptSerializer(required=False)


def present_draw(distribution: Distribution, now: dt.datetime) -> dict[str, Any]:
    """The body of a draw, also inside its experience."""
    draw, tally, drawing = distribution.draw, distribution.tally, distribution.drawing
    return shape.present(
        distribution,
        status=rules.phase(distribution, now),
        draw_at=draw.draw_at,
        winner_count=draw.winner_count,
        capacity=tally.places,
        entrant_count=tally.taken if drawing.frozen_at is None else drawing.entries,
        claim_seconds=draw.claim_seconds,
        alternates=draw.alternates,
        end_at=draw.end_at,
        weights=draw.weights,
        commitment=drawing.commitment,
        verification=_present_verification(distribution),
    )


def _present_verification(distribution: Distribution) -> dict[str, Any]:
    whole = present_proof(distribution)
    return {name: whole[name] for name in _OF_VERIFICATION if name in whole}


def present_proof(distribution: Distribution) -> dict[str, Any]:
    """All of the proof but entries and result."""
    draw = distribution.draw
    return proofs.head(distribution, winners=draw.winner_count, beacon=results.beacon_of(draw))


def present_result(distribution: Distribution, most: int) -> dict[str, Any]:
    """How the giving of places went, with the first `most` of the drawn order (0: all; that comes apart)."""
    draw, drawing = distribution.draw, distribution.drawing
    if drawing.drawn_at is None:
        return {}
    course = {"places_offered": draw.offered, "passed_over": draw.passed_over[: most or None]}
    return course | (proofs.order(drawing, most) if most else {})


def present_standing(distribution: Distribution, standing: Standing, now: dt.datetime) -> dict[str, Any]:
    """What a draw adds to a status: its result, the entry's number and receipt, poll advice."""
    body: dict[str, Any] = {}
    if standing.status != Status.LEFT:
        body["draw_status"] = _result(standing)
        if standing.place is not None:
            is_biased = bool(distribution.draw.weights)
            weight = rules.weight_of(distribution.pk, standing.place) if is_biased else 1
            body |= {
                "entry_number": standing.place,
                "receipt": drawings.receipt(distribution, standing, weight, _terms(distribution)),
            }
    if standing.status == Status.QUEUED:
        body["poll_after_seconds"] = polling.advise(_wait(distribution, now))
    target = distribution.draw.fall_through_id
    if target is not None and standing.deny_reason == Reason.NOT_SELECTED:
        body["next"] = {"kind": Kind.QUEUE, "id": target}
    return body


def _terms(distribution: Distribution) -> dict[str, Any]:
    """What was announced, and what the key hangs on beside seed and list."""
    draw = distribution.draw
    beacon = draw.beacon and {name: draw.beacon[name] for name in ("chain", "round")}
    return {"winnerCount": draw.winner_count, **({"beacon": beacon} if beacon else {})}


def _result(standing: Standing) -> str:
    """WON who was ever admitted, whatever became of it; LOST who is out without."""
    if standing.admitted_at is not None:
        return "WON"
    return "ENTERED" if standing.status == Status.QUEUED else "LOST"


def _wait(distribution: Distribution, now: dt.datetime) -> float:
    """Seconds until something may happen: the draw, which may wait for a beacon, or an alternate's turn."""
    if distribution.drawing.drawn_at is not None:  # often enough not to miss a turn
        return min(polling.FAR, (distribution.draw.claim_seconds or polling.FAR) / 3)
    draw, named = distribution.draw, results.beacon_of(distribution.draw)
    at = draw.draw_at if named is None else max(draw.draw_at, named.at)
    return max(0.0, (at - now).total_seconds())
