"""`/auth/…`: guest sign-in, refresh and logout. Codes and external sign-in have their own rooms."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from consumers import sessions
from consumers.authentication import Credential
from consumers.models import Session
from consumers.permissions import HasKey, IsConsumer
from fanfare import errors
from fanfare.api import ApiViewSet, IdField, NothingSerializer, TextField, parse
from fanfare.schema import describes
from fanfare.throttling import Throttle


class SessionSerializer(serializers.Serializer[Any]):
    """Who is signed in, and until when at most."""

    type = serializers.ChoiceField(["guest", "authenticated"])
    consumer_id = IdField("cons")
    guest_id = IdField("cons", required=False)
    expires_at = serializers.DateTimeField()


class TokensSerializer(serializers.Serializer[Any]):
    """A session with its tokens."""

    session = SessionSerializer()
    access_token = serializers.CharField()
    access_token_expires_at = serializers.DateTimeField()
    refresh_token = serializers.CharField()


class RefreshSerializer(serializers.Serializer[Any]):
    """The body of a refresh."""

    refresh_token = TextField(max_length=200)


class AuthViewSet(ApiViewSet):
    """Sign-in, refresh, logout; all counted as `authentication`."""

    throttle_classes = [Throttle]
    rate_categories: ClassVar[dict[str, str]] = dict.fromkeys(
        ["guest", "refresh", "logout"], "authentication"
    )

    def get_permissions(self) -> list[BasePermission]:
        return [IsConsumer() if self.action == "logout" else HasKey()]

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

    @describes(None, body=NothingSerializer, status=204)
    @action(detail=False, methods=["post"])
    def logout(self, request: Request) -> Response:
        """End the session: its tokens are refused from now on."""
        parse(NothingSerializer, request)
        session = Session.objects.get(pk=_credential(request).session_id)
        sessions.end(session, reason="logout", now=self.now)
        return Response(status=204)


def _credential(request: Request) -> Credential:
    assert isinstance(request.auth, Credential)
    return request.auth


def present_tokens(tokens: sessions.Tokens) -> dict[str, Any]:
    """The body of every sign-in and refresh."""
    consumer = tokens.consumer
    session: dict[str, Any] = {
        "type": "guest" if consumer.is_guest else "authenticated",
        "consumer_id": consumer.id,
        "expires_at": tokens.session.expires_at,
    }
    if consumer.is_guest:
        session["guest_id"] = consumer.id
    return {
        "session": session,
        "access_token": tokens.access_token,
        "access_token_expires_at": tokens.access_expires_at,
        "refresh_token": tokens.refresh_token,
    }
