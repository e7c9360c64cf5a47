"""How a waitlist and an entry in it look on the wire."""

import base64
import datetime as dt
from typing import Any

from rest_framework import serializers

from distributions.core import phases, polling, shape
from distributions.core.models import Distribution, Status
from distributions.core.shape import DistributionSerializer
from distributions.core.standing import Standing
from distributions.core.status import StatusSerializer
from distributions.waitlists import notices
from distributions.waitlists.models import Mode, Outcome
from fanfare import sealing
from fanfare.api import IdField

_OUTCOMES = [Outcome.CLAIMED.name, Outcome.LAPSED.name]
_IS_ENTERED = "Whether the consumer waits here."


class WaitlistSerializer(DistributionSerializer):
    """A waitlist as anyone with a key sees it."""

    id = IdField("wl")
    status = serializers.ChoiceField([str(phase) for phase in phases.Phase])
    capacity = serializers.IntegerField(allow_null=True, help_text="Entries at most; null: any number.")
    mode = serializers.ChoiceField(Mode.values, help_text="offer: free places are offered in order.")
    consumer_count = serializers.IntegerField(help_text="Who waits.")


class _ToldSerializer(StatusSerializer):
    """What a waitlist adds to a DistributionStatus."""

    waitlist_id = IdField("wl")
    is_entered = serializers.BooleanField(help_text=_IS_ENTERED)
    notified_at = serializers.DateTimeField(required=False, help_text="When there was news last.")
    offer_expires_at = serializers.DateTimeField(
        required=False, help_text="Until when the code that was sent is good."
    )


class EntrySerializer(_ToldSerializer):
    """The entry: a DistributionStatus with what names it."""

    id = serializers.CharField(help_text="Names the entry.")
    sequence_id = IdField("seq")


class WaitlistStatusSerializer(_ToldSerializer):
    """Whether the consumer waits here; the fields of a DistributionStatus are there if they do."""

    status = serializers.ChoiceField(Status.choices, required=False)
    consumer_id = IdField("cons", required=False)
    entered_at = serializers.DateTimeField(required=False)
    offer_outcome = serializers.ChoiceField(
        _OUTCOMES, required=False, help_text="What ended the waiting, where it was an offer."
    )


class LeftEntrySerializer(StatusSerializer):
    """A DistributionStatus, LEFT."""

    waitlist_id = IdField("wl")
    is_entered = serializers.BooleanField(help_text=_IS_ENTERED)


def present_waitlist(distribution: Distribution, now: dt.datetime) -> dict[str, Any]:
    """The body of a waitlist, also inside its experience."""
    return shape.present(
        distribution,
        status=phases.phase(distribution, now),
        capacity=distribution.tally.places,
        mode=distribution.waitlist.mode,
        consumer_count=distribution.tally.taken,
    )


def present_nobody(distribution: Distribution, standing: Standing | None) -> dict[str, Any]:
    """The status of somebody who does not wait here; one query, where they did before."""
    body = {"waitlist_id": distribution.pk, "is_entered": False}
    ended_by = notices.ended_by(standing) if standing else None
    return body if ended_by is None else body | {"offer_outcome": Outcome(ended_by.outcome).name}


def present_standing(distribution: Distribution, standing: Standing, now: dt.datetime) -> dict[str, Any]:
    """What a waitlist adds to a status; one query, where they wait."""
    if standing.status != Status.QUEUED:
        return {"is_entered": False}
    body: dict[str, Any] = {"is_entered": True, "poll_after_seconds": polling.advise(polling.FAR)}
    told = notices.of(distribution, standing)
    if told:
        body["notified_at"] = told[0].created_at
    if (until := notices.offered_until(told, now)) is not None:
        body["offer_expires_at"] = until
    return body


def entry_id(distribution: Distribution, standing: Standing) -> str:
    """Names one entry without telling how many there are."""
    message = f"{distribution.pk}:{standing.id}".encode()
    return base64.b32encode(sealing.keyed_hash("waitlist-entry", message)[:15]).decode()
