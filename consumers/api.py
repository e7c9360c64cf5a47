"""`/auth/…` and `/consumers/…`: guests, external sign-in, refresh and logout; who a consumer is.

One-time codes are in `auth_otp.api`.
"""

from typing import Any, ClassVar

import orjson
from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from consumers import external, identities, sessions
from consumers.authentication import Credential
from consumers.identities import Name, Profile
from consumers.models import Consumer, Session
from consumers.permissions import HasKey, HasSecretKey, IsConsumer
from consumers.shape import ConsumerSerializer, TokensSerializer, present_consumer, present_tokens
from distributions import active, sign_in
from fanfare import errors
from fanfare.api import ApiViewSet, NothingSerializer, TextField, parse
from fanfare.schema import describes
from fanfare.throttling import Throttle

CLAIMS_BYTES = 10_000


class RefreshSerializer(serializers.Serializer[Any]):
    """The body of a refresh."""

    refresh_token = TextField(max_length=200)


class ClaimsField(serializers.DictField):
    """What the shop's server says of its customer, by OpenID Connect's names or ours; others are ignored."""

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if len(orjson.dumps(value)) > CLAIMS_BYTES:
            raise serializers.ValidationError(f"At most {CLAIMS_BYTES:,} bytes.")
        try:
            return external.read_claims(value)
        except external.WrongClaim as problem:
            raise serializers.ValidationError({problem.name: problem.message}) from None


class AuthorizeSerializer(serializers.Serializer[Any]):
    """The body of an external authorization."""

    provider = TextField(
        max_length=50,
        validators=[RegexValidator(r"^[A-Za-z0-9._-]+$", "Letters, digits, . _ and - alone.")],
        help_text="Which of the shop's systems names the customer.",
    )
    issuer = TextField(
        max_length=200, help_text="Who vouches for the subject, such as https://shop.example.com."
    )
    subject = TextField(max_length=320, trim_whitespace=False, help_text="The customer's number there.")
    claims = ClaimsField(
        required=False,
        help_text="email, emailVerified, phone, phoneVerified, name; they fill what is empty. 10,000 bytes.",
    )


class AuthorizedSerializer(serializers.Serializer[Any]):
    """A code for the customer's browser."""

    exchange_code = serializers.CharField()
    expires_at = serializers.DateTimeField()
    resolution = serializers.ChoiceField(["created", "existing"])


class ExchangeSerializer(serializers.Serializer[Any]):
    """The body of an exchange."""

    exchange_code = TextField(max_length=200)


def _refused_exchanges(title: str) -> list[errors.FanfareError]:
    return [errors.InvalidExchangeCode(), errors.ExchangeCodeExpired()]


class MeSerializer(ConsumerSerializer):
    """The consumer who asks, with all they take part in."""

    external_ids = None  # type: ignore[assignment]
    active = active.ActiveSerializer()


class AuthViewSet(ApiViewSet):
    """Sign-in, refresh, logout; all counted as `authentication`."""

    throttle_classes = [Throttle]
    rate_categories: ClassVar[dict[str, str]] = dict.fromkeys(
        ["guest", "refresh", "logout", "external_authorize", "external_exchange"], "authentication"
    )

    def get_permissions(self) -> list[BasePermission]:
        needs = {"logout": IsConsumer, "external_authorize": HasSecretKey}
        return [needs.get(self.action or "", HasKey)()]

    @describes(TokensSerializer, body=NothingSerializer)
    @action(detail=False, methods=["post"])
    def guest(self, request: Request) -> Response:
        """A new guest with a session."""
        parse(NothingSerializer, request)
        return Response(present_tokens(sessions.open_guest(_credential(request).organization, now=self.now)))

    @describes(
        TokensSerializer, body=RefreshSerializer, refusals=lambda title: [errors.InvalidRefreshToken()]
    )
    @action(detail=False, methods=["post"])
    def refresh(self, request: Request) -> Response:
        """A new pair of tokens for a refresh token, which is spent by it."""
        token = parse(RefreshSerializer, request)["refresh_token"]
        organization = _credential(request).organization
        return Response(present_tokens(sessions.refresh(token, organization, now=self.now)))

    @describes(AuthorizedSerializer, body=AuthorizeSerializer)
    @action(detail=False, methods=["post"], url_path="external/authorize")
    def external_authorize(self, request: Request) -> Response:
        """Name a customer of the shop; their browser exchanges the code for a session."""
        body = parse(AuthorizeSerializer, request)
        credential = _credential(request)
        authorized = external.authorize(
            credential.organization,
            Name(body["provider"], body["issuer"], body["subject"]),
            body.get("claims", Profile()),
            now=self.now,
            actor=credential.actor,
        )
        return Response(vars(authorized))

    @describes(TokensSerializer, body=ExchangeSerializer, refusals=_refused_exchanges)
    @action(detail=False, methods=["post"], url_path="external/exchange")
    def external_exchange(self, request: Request) -> Response:
        """A session for an exchange code; a guest's access token brings the guest's participations along."""
        text = parse(ExchangeSerializer, request)["exchange_code"]
        credential = _credential(request)
        tokens = sign_in.by_exchange_code(
            credential.organization, text, guest_id=credential.guest_id, now=self.now
        )
        return Response(present_tokens(tokens))

    @describes(None, body=NothingSerializer, status=204)
    @action(detail=False, methods=["post"])
    def logout(self, request: Request) -> Response:
        """End the session: its tokens are refused from now on."""
        parse(NothingSerializer, request)
        session = Session.objects.get(pk=_credential(request).session_id)
        sessions.end(session, reason="logout", now=self.now)
        return Response(status=204)


class ConsumerViewSet(ApiViewSet):
    """Consumers: oneself, and anyone for the shop's server."""

    prefix = "cons"
    title = "Consumer"

    def get_permissions(self) -> list[BasePermission]:
        return [IsConsumer() if self.action == "me" else HasSecretKey()]

    @describes(MeSerializer)
    @action(detail=False, methods=["get"])
    def me(self, request: Request) -> Response:
        """The consumer who asks, with all they take part in."""
        consumer = Consumer.objects.get(pk=_credential(request).consumer_id)
        return Response(present_consumer(consumer) | {"active": active.present(consumer.id, now=self.now)})

    @describes(ConsumerSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """A consumer, by the id that they have or had as a guest."""
        consumer = identities.find(id, _credential(request).organization.id)
        named = identities.given_by_shop(consumer)
        return Response(present_consumer(consumer) | {"external_ids": [vars(name) for name in named]})


def _credential(request: Request) -> Credential:
    assert isinstance(request.auth, Credential)
    return request.auth
