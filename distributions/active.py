"""All that a consumer takes part in at the moment, each as its own endpoint shows it.

A handful of queries, however many there are; positions come from Redis, or from one query more.
"""

import datetime as dt
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from consumers.models import Visit
from distributions.appointments.shape import AppointmentStatusSerializer
from distributions.auctions.shape import AuctionStatusSerializer
from distributions.core import statements
from distributions.core.models import LIVE, Distribution, Kind, Participation, Status
from distributions.core.standing import Standing
from distributions.core.status import present as present_status
from distributions.draws.shape import DrawStatusSerializer
from distributions.kinds import KINDS, RELATED
from distributions.queues.shape import QueueStatusSerializer
from distributions.shapes import SHAPES
from distributions.timed_releases.shape import TimedReleaseStatusSerializer
from distributions.waitlists.shape import WaitlistStatusSerializer
from fanfare.api import IdField

MOST = 100  # participations shown, the newest first
_PLURALS = ("queues", "draws", "auctions", "timed_releases", "appointments", "waitlists")


class VisitStatusSerializer(serializers.Serializer[Any]):
    """A consumer in an experience."""

    experience_id = IdField("exp")
    sequence_id = IdField("seq")
    entered_at = serializers.DateTimeField()


def _any_kind() -> serializers.Serializer[Any]:
    """The status of whichever kind it is of."""
    kinds: Any = [
        QueueStatusSerializer,
        DrawStatusSerializer,
        AuctionStatusSerializer,
        TimedReleaseStatusSerializer,
        AppointmentStatusSerializer,
    ]
    return PolymorphicProxySerializer("AnyStatus", kinds, resource_type_field_name=None)


class ActiveSerializer(serializers.Serializer[Any]):
    """By id, how the consumer stands; `admissions` are those of all kinds that are open to them now."""

    experiences = serializers.DictField(child=VisitStatusSerializer())
    queues = serializers.DictField(child=QueueStatusSerializer())
    draws = serializers.DictField(child=DrawStatusSerializer())
    auctions = serializers.DictField(child=AuctionStatusSerializer())
    timed_releases = serializers.DictField(child=TimedReleaseStatusSerializer())
    appointments = serializers.DictField(child=AppointmentStatusSerializer())
    waitlists = serializers.DictField(child=WaitlistStatusSerializer())
    admissions = serializers.DictField(child=_any_kind())


def present(consumer_id: str, *, now: dt.datetime) -> dict[str, Any]:
    """The body of `active`."""
    visits = Visit.objects.filter(consumer_id=consumer_id, left_at=None).order_by("-id")[:MOST]
    found: dict[str, dict[str, Any]] = {"experiences": {v.experience_id: _present_visit(v) for v in visits}}
    found |= {plural: {} for plural in (*_PLURALS, "admissions")}
    for distribution, standing in _standings(consumer_id, now):
        shape = SHAPES[Kind(distribution.kind)]
        body = present_status(distribution, standing, **shape.present_standing(distribution, standing, now))
        found[KINDS[Kind(distribution.kind)].plural][distribution.pk] = body
        if standing.status == Status.ADMITTED:
            found["admissions"][distribution.pk] = body
    return found


def _present_visit(visit: Visit) -> dict[str, Any]:
    names = ("experience_id", "sequence_id", "entered_at")
    return {name: getattr(visit, name) for name in names}


def _standings(consumer_id: str, now: dt.datetime) -> list[tuple[Distribution, Standing]]:
    """What is live, as it is at `now`: what the clock has ended meanwhile is left out."""
    columns = statements.COLUMNS.split(", ")
    rows = Participation.objects.filter(consumer_id=consumer_id, status__in=LIVE).order_by("-id")
    raw = [
        (row[0], Standing.from_row(row[1:])) for row in rows.values_list("distribution_id", *columns)[:MOST]
    ]
    distributions = Distribution.objects.select_related(*RELATED).in_bulk([pk for pk, _ in raw])
    for kind, shape in SHAPES.items():
        shape.load([(distributions[pk], one) for pk, one in raw if distributions[pk].kind == kind])
    found = []
    for pk, standing in raw:
        rules = KINDS[Kind(distributions[pk].kind)].rules
        distribution = rules.current(distributions[pk], now)
        current = rules.standing_at(distribution, standing, now)
        if current.status in LIVE:
            found.append((distribution, current))
    return [
        pair
        for kind, shape in SHAPES.items()
        for pair in shape.prepare([one for one in found if one[0].kind == kind])
    ]
