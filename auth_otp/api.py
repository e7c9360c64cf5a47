"""`/auth/otp/…`: ask for a one-time code, sign in with it."""

from contextlib import suppress
from typing import Any, ClassVar

from kombu.exceptions import OperationalError
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from auth_otp import codes, tasks
from consumers.authentication import Credential
from consumers.permissions import HasKey
from consumers.shape import TokensSerializer, present_tokens
from distributions import sign_in
from fanfare import contacts, errors, redis, staff
from fanfare.api import ApiViewSet, TextField, parse
from fanfare.schema import describes
from fanfare.throttling import Throttle


class ContactSerializer(serializers.Serializer[Any]):
    """One address: an e-mail address or a telephone number."""

    email = TextField(max_length=contacts.MOST, required=False)
    phone = TextField(max_length=64, required=False, help_text="E.164, or as dialled in defaultCountry.")
    default_country = TextField(
        max_length=2, required=False, help_text="ISO 3166, such as DE: where a number without + is dialled."
    )

    def validate_default_country(self, value: str) -> str:
        """Two letters of a country with telephones."""
        if not contacts.is_country(value.upper()):
            raise serializers.ValidationError("Two letters of a country, such as DE.")
        return value.upper()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Adds `contact`, normalised."""
        given = [name for name in ("email", "phone") if name in attrs]
        if len(given) != 1:
            raise serializers.ValidationError("Send email or phone, one of them.")
        try:
            attrs["contact"] = (
                contacts.email(attrs["email"])
                if given == ["email"]
                else contacts.phone(attrs["phone"], attrs.get("default_country"))
            )
        except ValueError as problem:
            raise serializers.ValidationError({given[0]: str(problem)}) from None
        return attrs


class RequestSerializer(ContactSerializer):
    """The body of a request for a code."""

    name = TextField(max_length=200, required=False, allow_blank=True, help_text="Fills an empty profile.")


class VerifySerializer(ContactSerializer):
    """The body of a sign-in by code."""

    code = TextField(max_length=20, help_text="Six digits.")


class RequestedSerializer(serializers.Serializer[Any]):
    """What is said of every address, known or not."""

    ok = serializers.BooleanField()
    expires_in_seconds = serializers.IntegerField()
    resend_in_seconds = serializers.IntegerField()


class OtpViewSet(ApiViewSet):
    """Sign-in by a one-time code."""

    permission_classes = [HasKey]
    throttle_classes = [Throttle]
    rate_categories: ClassVar[dict[str, str]] = dict.fromkeys(["otp_request", "otp_verify"], "authentication")

    @describes(RequestedSerializer, body=RequestSerializer)
    @action(detail=False, methods=["post"], url_path="request")
    def otp_request(self, request: Request) -> Response:
        """Send a code. The answer is the same whether or not the address is known."""
        body = parse(RequestSerializer, request)
        challenge, resend = codes.request(
            _credential(request).organization,
            body["contact"],
            name=body.get("name", ""),
            client=staff.client_address(request._request),
            now=self.now,
        )
        _send(challenge.pk)
        lasts = int((challenge.expires_at - self.now).total_seconds())
        return Response({"ok": True, "expires_in_seconds": lasts, "resend_in_seconds": resend})

    @describes(
        TokensSerializer,
        body=VerifySerializer,
        refusals=lambda title: [errors.OtpInvalid(), errors.OtpExpired()],
    )
    @action(detail=False, methods=["post"], url_path="verify")
    def otp_verify(self, request: Request) -> Response:
        """A session for a code; a guest's access token brings the guest's participations along.

        Any other consumer's token changes nothing: addresses are not linked to each other.
        """
        body = parse(VerifySerializer, request)
        credential = _credential(request)
        tokens = sign_in.by_code(
            credential.organization,
            body["contact"],
            body["code"].replace(" ", ""),
            client=staff.client_address(request._request),
            guest_id=credential.guest_id,
            now=self.now,
        )
        return Response(present_tokens(tokens))


def _send(challenge_id: int) -> None:
    """Tell a worker; should the message be lost, the next look at what is unsent finds it."""
    if redis.is_down():
        return
    with suppress(OperationalError):
        tasks.send_code.apply_async(args=[challenge_id], expires=30, retry=False)


def _credential(request: Request) -> Credential:
    assert isinstance(request.auth, Credential)
    return request.auth
