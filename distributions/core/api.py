"""The API that all kinds share: one base, and a mixin for each verb of the contract.

A kind's viewset lists its verbs and says how it presents itself. The hot verbs ask Redis once for
session, rate and standing (`live.pass_gate`); without Redis, PostgreSQL answers.
"""

from types import ModuleType
from typing import Any, ClassVar

import orjson
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from consumers import sessions
from consumers.authentication import Credential
from consumers.models import Consumer
from consumers.permissions import HasKey, HasSecretKey, IsConsumer, IsConsumerAtGate
from distributions.core import admission, catalog, fingerprints, lifecycle, live
from distributions.core.models import Distribution, Kind
from distributions.core.standing import Standing
from distributions.core.status import present
from fanfare import errors, ids, metrics
from fanfare.api import ApiViewSet, parse
from fanfare.limits import limit_for

METADATA_BYTES = 2048
PERMISSIONS: dict[str, type[BasePermission]] = {
    "retrieve": HasKey,
    "enter": IsConsumerAtGate,
    "status": IsConsumerAtGate,
    "leave": IsConsumer,
    "admit": HasSecretKey,
    "complete": HasSecretKey,
    "deny": HasSecretKey,
    "validate": HasSecretKey,
}


class EnterSerializer(serializers.Serializer[Any]):
    """The body of an entry."""

    metadata = serializers.DictField(required=False, help_text="Anything the shop wants kept; at most 2 KiB.")

    def validate_metadata(self, value: dict[str, Any]) -> dict[str, Any]:
        if len(orjson.dumps(value)) > METADATA_BYTES:
            raise serializers.ValidationError(f"At most {METADATA_BYTES} bytes.")
        return value


class ConsumerSerializer(serializers.Serializer[Any]):
    """The body of a move by secret key."""

    consumer_id = serializers.CharField(max_length=64)


class CompleteSerializer(ConsumerSerializer):
    order_id = serializers.CharField(max_length=200, required=False, allow_blank=True)


class DenySerializer(ConsumerSerializer):
    reason = serializers.CharField(
        max_length=200, help_text="A code of the contract, or the shop's own words."
    )


class ValidateSerializer(ConsumerSerializer):
    token = serializers.CharField(max_length=4096)


class VerdictSerializer(serializers.Serializer[Any]):
    """Whether a token admits; `code` and `message` say why not."""

    valid = serializers.BooleanField()
    consumer_id = serializers.CharField(required=False)
    admitted_at = serializers.DateTimeField(required=False)
    expires_at = serializers.DateTimeField(required=False)
    code = serializers.ChoiceField(admission.CODES, required=False)
    message = serializers.CharField(required=False)


class DistributionViewSet(ApiViewSet):
    """One kind of distribution: loads it for the credential's organization before any verb runs."""

    kind: ClassVar[Kind]
    prefix: ClassVar[str]
    rules: ClassVar[ModuleType]
    rate_categories: ClassVar[dict[str, str]]  # hot verb → category of its rate limit
    lookup_url_kwarg = "id"
    distribution: Distribution
    gate: live.Gate

    def get_permissions(self) -> Any:
        return [PERMISSIONS[self.action]()] if self.action in PERMISSIONS else []

    @property
    def credential(self) -> Credential:
        """Who asks; permissions made sure that there is one."""
        assert isinstance(self.request.auth, Credential)
        return self.request.auth

    @property
    def consumer_id(self) -> str:
        """The consumer who asks, on endpoints that need one."""
        assert self.credential.consumer_id is not None
        return self.credential.consumer_id

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is None:
            return
        category = self.rate_categories.get(self.action)
        try:
            self.distribution = self._load(kwargs["id"])
        except errors.NotFound:
            if category:  # that the session has ended is said first
                sessions.require_alive(self.credential.session_id, now=self.now)
            raise
        if category:
            self._pass_gate(category)
        if self.credential.is_guest and self.action == "enter":
            self._require_guests_welcome()

    def _load(self, distribution_id: str) -> Distribution:
        organization_id = self.credential.organization.id
        return catalog.get(distribution_id, organization_id, self.kind, self.prefix, str(self.kind.label))

    def _pass_gate(self, category: str) -> None:
        """Session, rate and standing in one trip; raises NotAuthenticated or RateLimited."""
        organization = self.credential.organization
        self.gate = live.pass_gate(
            session_id=self.credential.session_id,
            consumer_id=self.consumer_id,
            distribution_id=self.distribution.pk,
            frozen=self.distribution.tally.frozen or 0,
            rate_key=(organization.id, category),
            limit=limit_for(category, organization.rate_limits),
            now=self.now,
        )
        if self.gate.is_alive is None:
            sessions.require_alive(self.credential.session_id, now=self.now)
        elif not self.gate.is_alive:
            raise errors.NotAuthenticated("The session has ended.")
        if self.gate.usage is None:
            metrics.UNLIMITED.inc()
            return
        self.request._request.usage = self.gate.usage  # type: ignore[attr-defined]
        self.gate.usage.require(self.now)

    def _require_guests_welcome(self) -> None:
        if not self.distribution.supports_guest or self.distribution.sequence.requires_authentication:
            raise errors.SignInRequired("Guests can't enter here.")

    def fingerprint(self) -> bytes | None:
        """The device's fingerprint as stored. Raises FingerprintRequired."""
        return fingerprints.read(self.request.headers.get("X-Fingerprint"), self.credential.organization)

    def answer(self, standing: Standing, *, with_token: bool = True) -> Response:
        """The DistributionStatus of a standing as it is now, with what the kind adds."""
        current = self.rules.standing_at(self.distribution, standing, self.now)
        extra = self.present_standing(current)
        return Response(present(self.distribution, current, with_token=with_token, **extra))

    def present_standing(self, standing: Standing) -> dict[str, Any]:
        """The fields that the kind adds to a status."""
        return {}

    def known_consumer(self, consumer_id: str) -> str:
        """The id, if it is one of this organization's consumers. Raises NotFound."""
        organization = self.credential.organization
        known = ids.is_id(consumer_id, "cons") and Consumer.objects.filter(
            pk=consumer_id, organization=organization
        )
        if not known or not known.exists():
            raise errors.NotFound("Consumer")
        return consumer_id


class Enter(DistributionViewSet):
    """`POST …/enter`."""

    @action(detail=True, methods=["post"])
    def enter(self, request: Request, id: str) -> Response:
        """Enter, or find the participation there is."""
        body = parse(EnterSerializer, request) if request.data else {}
        standing = self.rules.enter(
            self.distribution,
            self.consumer_id,
            now=self.now,
            actor=self.credential.actor,
            fingerprint=self.fingerprint(),
            metadata=body.get("metadata"),
        )
        return self.answer(standing)


class Leave(DistributionViewSet):
    """`POST …/leave`."""

    @action(detail=True, methods=["post"])
    def leave(self, request: Request, id: str) -> Response:
        """Give up the place or the admission."""
        standing = lifecycle.leave(
            self.distribution, self.consumer_id, now=self.now, actor=self.credential.actor
        )
        return self.answer(standing)


class Status(DistributionViewSet):
    """`GET …/status`: from Redis, or from PostgreSQL, which then repairs Redis."""

    @action(detail=True, methods=["get"])
    def status(self, request: Request, id: str) -> Response:
        """How the consumer stands."""
        standing = self.gate.standing
        if standing is None:
            standing = lifecycle.republish(
                self.distribution, lifecycle.latest(self.distribution, self.consumer_id)
            )
        return self.answer(standing)


class Admit(DistributionViewSet):
    """`POST …/admit`."""

    @action(detail=True, methods=["post"])
    def admit(self, request: Request, id: str) -> Response:
        """Admit a consumer out of turn, entering them if need be."""
        body = parse(ConsumerSerializer, request)
        consumer_id = self.known_consumer(body["consumer_id"])
        standing = self.rules.admit(self.distribution, consumer_id, now=self.now, actor=self.credential.actor)
        return self.answer(standing)


class Complete(DistributionViewSet):
    """`POST …/complete`."""

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, id: str) -> Response:
        """The consumer is done: the admission is used."""
        body = parse(CompleteSerializer, request)
        standing = lifecycle.complete(
            self.distribution,
            self.known_consumer(body["consumer_id"]),
            now=self.now,
            actor=self.credential.actor,
            order_id=body.get("order_id", ""),
        )
        return self.answer(standing, with_token=False)


class Deny(DistributionViewSet):
    """`POST …/deny`."""

    @action(detail=True, methods=["post"])
    def deny(self, request: Request, id: str) -> Response:
        """Turn a consumer away."""
        body = parse(DenySerializer, request)
        standing = lifecycle.deny(
            self.distribution,
            self.known_consumer(body["consumer_id"]),
            now=self.now,
            actor=self.credential.actor,
            reason=body["reason"],
        )
        return self.answer(standing, with_token=False)


class Validate(DistributionViewSet):
    """`POST …/validate`."""

    @action(detail=True, methods=["post"])
    def validate(self, request: Request, id: str) -> Response:
        """Whether an admission token admits this consumer, here and now."""
        body = parse(ValidateSerializer, request)
        verdict = admission.validate(
            self.distribution,
            consumer_id=body["consumer_id"],
            token=body["token"],
            fingerprint=self.fingerprint(),
            now=self.now,
        )
        return Response({name: value for name, value in vars(verdict).items() if value not in ("", None)})
