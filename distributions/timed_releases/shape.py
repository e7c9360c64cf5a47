"""How a timed release and a standing in it look on the wire."""

import datetime as dt
from typing import Any

from rest_framework import serializers

from distributions.core import phases, shape
from distributions.core.models import Distribution
from distributions.core.shape import DistributionSerializer
from distributions.core.standing import Standing
from distributions.core.status import StatusSerializer
from distributions.timed_releases import rules
from fanfare.api import IdField


class TimedReleaseSerializer(DistributionSerializer):
    """A timed release as anyone with a key sees it."""

    id = IdField("release")
    status = serializers.ChoiceField([str(phase) for phase in phases.Phase])
    inventory = serializers.IntegerField(allow_null=True, help_text="Units in all; null: any number.")
    available = serializers.IntegerField(allow_null=True, help_text="Units left now; null: any number.")
    claim_seconds = serializers.IntegerField(
        allow_null=True, help_text="After which an unused unit comes back; null: never."
    )
    max_per_consumer = serializers.IntegerField(help_text="One after the other.")


class TimedReleaseStatusSerializer(StatusSerializer):
    """A DistributionStatus; a timed release adds nothing but its id."""

    timed_release_id = IdField("release")


def present_release(distribution: Distribution, now: dt.datetime) -> dict[str, Any]:
    """The body of a timed release, also inside its experience."""
    release = distribution.timed_release
    return shape.present(
        distribution,
        status=phases.phase(distribution, now),
        inventory=distribution.tally.places,
        available=rules.available(distribution),
        claim_seconds=release.claim_seconds,
        max_per_consumer=release.max_per_consumer,
    )


def present_standing(distribution: Distribution, standing: Standing, now: dt.datetime) -> dict[str, Any]:
    """Nothing beside what all kinds say."""
    return {}
