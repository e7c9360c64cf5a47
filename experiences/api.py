"""`/experiences/…` and `/organizations/current`: what a shop's page shows before anyone enters."""

import datetime as dt
from typing import Any

from django.db.models import Prefetch
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from consumers import conditions, visits
from consumers.permissions import HasKey, IsConsumer
from distributions.appointments.shape import AppointmentSerializer
from distributions.auctions.shape import AuctionSerializer
from distributions.core.models import Distribution, Kind
from distributions.draws.shape import DrawSerializer
from distributions.kinds import KINDS, RELATED
from distributions.queues.shape import QueueSerializer
from distributions.shapes import SHAPES
from distributions.timed_releases.shape import TimedReleaseSerializer
from distributions.waitlists.shape import WaitlistSerializer
from experiences import access_codes, validation
from experiences.models import Experience, Organization, Sequence
from fanfare import errors, ids, staff, throttling
from fanfare.api import ApiViewSet, IdField, TextField, cacheable, parse
from fanfare.schema import describes


class ThemeSerializer(serializers.Serializer[Any]):
    """How pages look; what is not set is not there."""

    primary_color = serializers.CharField(required=False)
    secondary_color = serializers.CharField(required=False)
    background_color = serializers.CharField(required=False)
    text_color = serializers.CharField(required=False)
    accent_color = serializers.CharField(required=False)
    logo_url = serializers.CharField(required=False)
    header_image_url = serializers.CharField(required=False)
    background_image_url = serializers.CharField(required=False)
    favicon_url = serializers.CharField(required=False)
    font_family = serializers.CharField(required=False)
    container_style = serializers.ChoiceField(validation.CONTAINER_STYLES, required=False)
    border_radius = serializers.CharField(required=False)


class SequenceSerializer(serializers.Serializer[Any]):
    """Who may come in by which way, and what is behind it."""

    id = IdField("seq")
    name = serializers.CharField()
    color = serializers.CharField(allow_null=True)
    priority = serializers.IntegerField()
    requires = serializers.ListField(
        child=serializers.ChoiceField(["authentication", "access_code", "audience"])
    )
    next = IdField("seq", allow_null=True, help_text="Where to go on when this one has nothing left.")
    waitlist = WaitlistSerializer(allow_null=True)
    queues = QueueSerializer(many=True)
    draws = DrawSerializer(many=True)
    auctions = AuctionSerializer(many=True)
    appointments = AppointmentSerializer(many=True)
    timed_releases = TimedReleaseSerializer(many=True)


class ExperienceSerializer(serializers.Serializer[Any]):
    """One launch, whole."""

    id = IdField("exp")
    name = serializers.CharField()
    description = serializers.CharField()
    open_at = serializers.DateTimeField(allow_null=True)
    close_at = serializers.DateTimeField(allow_null=True)
    time_zone = serializers.CharField(allow_null=True)
    theme = ThemeSerializer(allow_null=True)
    sequences = SequenceSerializer(many=True)


class OrganizationSerializer(serializers.Serializer[Any]):
    """The tenant's public settings."""

    id = IdField("org")
    name = serializers.CharField()
    slug = serializers.CharField()
    logo_url = serializers.CharField(allow_null=True)
    time_zone = serializers.CharField()
    currency_code = serializers.CharField()
    language_code = serializers.CharField()
    theme = ThemeSerializer(allow_null=True)
    allowed_origins = serializers.ListField(child=serializers.CharField())


class EnterExperienceSerializer(serializers.Serializer[Any]):
    """The body of an entry."""

    access_code = TextField(max_length=100, required=False, allow_blank=True)


class VisitSerializer(serializers.Serializer[Any]):
    """A consumer in an experience, by the sequence that is open to them."""

    experience_id = IdField("exp")
    entered_at = serializers.DateTimeField()
    sequence_id = IdField("seq")
    experience = ExperienceSerializer()


class LeftSerializer(serializers.Serializer[Any]):
    """Whether there was anything to leave."""

    left = serializers.BooleanField()


def _refused_entries(title: str) -> list[errors.FanfareError]:
    return [
        errors.SignInRequired(),
        errors.AccessCodeRequired(),
        errors.NotEligible(),
        _too_often(),
    ]


def _refused_leaves(title: str) -> list[errors.FanfareError]:
    return [_too_often()]


def _too_often() -> errors.FanfareError:
    return errors.RateLimited("Too often. Try again in 60 s.", retry_after=60)


PLURALS = ("queues", "draws", "auctions", "appointments", "timed_releases")  # as a sequence lists them
_WAITLISTS = KINDS[Kind.WAITLIST].plural  # of which there is one at most
# Wrong access codes of one consumer, and of one network address, behind which there may be many.
GUESSES, GUESSES_OF_ADDRESS = "10/10m", "100/10m"
VISITS = "60/m"  # entries and leaves of one consumer


class ExperienceViewSet(ApiViewSet):
    """Experiences."""

    prefix = "exp"
    title = "Experience"

    def get_permissions(self) -> list[BasePermission]:
        return [HasKey() if self.action == "retrieve" else IsConsumer()]

    @describes(ExperienceSerializer, has_etag=True)
    def retrieve(self, request: Request, id: str) -> Response:
        """An experience with its sequences and their distributions; `ETag` and `If-None-Match`."""
        body = present_experience(_find(id, request.auth.organization), self.now)  # type: ignore[union-attr]
        return cacheable(request, body)

    @describes(VisitSerializer, body=EnterExperienceSerializer, refusals=_refused_entries)
    @action(detail=True, methods=["post"])
    def enter(self, request: Request, id: str) -> Response:
        """Come in by the first sequence that is open to the consumer."""
        credential: Any = request.auth
        experience = _find(id, credential.organization)
        access_code = parse(EnterExperienceSerializer, request).get("access_code", "")
        if access_code:
            self._require_few_guesses(experience, access_code)
        visit = visits.enter(
            experience,
            credential.consumer_id,
            is_guest=credential.is_guest,
            access_code=access_code,
            now=self.now,
            actor=credential.actor,
        )
        return Response(
            {
                "experience_id": experience.id,
                "entered_at": visit.entered_at,
                "sequence_id": visit.sequence_id,
                "experience": present_experience(experience, self.now),
            }
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action in ("enter", "leave"):  # each may write; nobody needs to come and go all the time
            throttling.require(request._request, "visits", request.auth.consumer_id or "", VISITS)  # type: ignore[union-attr]

    def _require_few_guesses(self, experience: Experience, access_code: str) -> None:
        """Count a wrong code; raise RateLimited after too many, whatever the code."""
        http = self.request._request
        consumer_id = str(self.request.auth.consumer_id)  # type: ignore[union-attr]
        is_wrong = not access_codes.valid(experience.sequences.all(), access_code, consumer_id, now=self.now)
        address = f"{experience.organization_id}|{staff.client_address(http)}"
        throttling.require(http, "access-code", consumer_id, GUESSES, increment=is_wrong)
        throttling.require(http, "access-codes", address, GUESSES_OF_ADDRESS, increment=is_wrong)

    @describes(LeftSerializer, refusals=_refused_leaves)
    @action(detail=True, methods=["delete"])
    def leave(self, request: Request, id: str) -> Response:
        """Go; participations stay as they are."""
        credential: Any = request.auth
        experience = _find(id, credential.organization)
        left = visits.leave(experience, credential.consumer_id, now=self.now, actor=credential.actor)
        return Response({"left": left})


class OrganizationViewSet(ApiViewSet):
    """The organization that the credential belongs to."""

    permission_classes = [HasKey]

    @describes(OrganizationSerializer)
    @action(detail=False, methods=["get"])
    def current(self, request: Request) -> Response:
        """The organization's public settings."""
        organization = request.auth.organization  # type: ignore[union-attr]
        names = (
            "id",
            "name",
            "slug",
            "time_zone",
            "currency_code",
            "language_code",
            "allowed_origins",
        )
        body = {name: getattr(organization, name) for name in names}
        return Response(
            body | {"logo_url": organization.logo_url or None, "theme": organization.theme or None}
        )


def _find(experience_id: str, organization: Organization) -> Experience:
    related = Distribution.objects.select_related(*RELATED).order_by("id")
    found = None
    if ids.is_id(experience_id, "exp"):
        found = (
            Experience.objects.filter(pk=experience_id, organization=organization)
            .prefetch_related("sequences", Prefetch("sequences__distributions", related))
            .first()
        )
    if found is None:
        raise errors.NotFound("Experience")
    return found


def present_experience(experience: Experience, now: dt.datetime) -> dict[str, Any]:
    """The body of an experience; its times are the earliest and latest inside, unless set."""
    sequences = list(experience.sequences.all())
    # A waitlist lets nobody in: it neither opens the experience nor keeps it open.
    inside = [
        found
        for sequence in sequences
        for found in sequence.distributions.all()
        if found.kind != Kind.WAITLIST
    ]
    return {
        "id": experience.id,
        "name": experience.name,
        "description": experience.description,
        "open_at": experience.open_at or _earliest([found.open_at for found in inside]),
        "close_at": experience.close_at or _latest([_closes_at(found) for found in inside]),
        "time_zone": experience.time_zone or None,
        "theme": experience.theme or None,
        "sequences": [_present_sequence(sequence, now) for sequence in sequences],
    }


def _closes_at(distribution: Distribution) -> dt.datetime | None:
    closes: dt.datetime | None = KINDS[Kind(distribution.kind)].rules.closes_at(distribution)
    return closes


def _earliest(times: list[dt.datetime | None]) -> dt.datetime | None:
    """Null as soon as one of them has been open from the start."""
    known = [at for at in times if at is not None]
    return min(known) if known and len(known) == len(times) else None


def _latest(times: list[dt.datetime | None]) -> dt.datetime | None:
    """Null as soon as one of them has no end."""
    known = [at for at in times if at is not None]
    return max(known) if known and len(known) == len(times) else None


def _present_sequence(sequence: Sequence, now: dt.datetime) -> dict[str, Any]:
    inside: dict[str, list[dict[str, Any]]] = {plural: [] for plural in (*PLURALS, _WAITLISTS)}
    for found in sequence.distributions.all():
        kind = Kind(found.kind)
        inside[KINDS[kind].plural].append(SHAPES[kind].present(KINDS[kind].rules.current(found, now), now))
    waitlists = inside.pop(_WAITLISTS)
    return {
        "id": sequence.id,
        "name": sequence.name,
        "color": sequence.color or None,
        "priority": sequence.priority,
        "requires": conditions.of(sequence),
        "next": sequence.next_id,
        "waitlist": next(iter(waitlists), None),
        **inside,
    }
