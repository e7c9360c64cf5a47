"""How sessions and consumers look on the wire."""

from typing import Any

from rest_framework import serializers

from consumers.models import Consumer
from consumers.sessions import Tokens
from fanfare.api import IdField


class SessionSerializer(serializers.Serializer[Any]):
    """Who is signed in, and until when at most."""

    type = serializers.ChoiceField(["guest", "authenticated"])
    consumer_id = IdField("cons")
    guest_id = IdField("cons", required=False)
    email = serializers.CharField(required=False)
    phone = serializers.CharField(required=False, help_text="E.164.")
    expires_at = serializers.DateTimeField()


class TokensSerializer(serializers.Serializer[Any]):
    """A session with its tokens."""

    session = SessionSerializer()
    access_token = serializers.CharField()
    access_token_expires_at = serializers.DateTimeField()
    refresh_token = serializers.CharField()


class IdentitySerializer(serializers.Serializer[Any]):
    """A name that the shop's server gave."""

    provider = serializers.CharField()
    issuer = serializers.CharField()
    subject = serializers.CharField()


class ConsumerSerializer(serializers.Serializer[Any]):
    """A consumer as the shop's server sees them."""

    id = IdField("cons")
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True, help_text="E.164.")
    full_name = serializers.CharField(allow_null=True)
    is_guest = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    external_ids = IdentitySerializer(many=True)


def present_tokens(tokens: Tokens) -> dict[str, Any]:
    """The body of every sign-in and refresh."""
    consumer = tokens.consumer
    session: dict[str, Any] = {
        "type": "guest" if consumer.is_guest else "authenticated",
        "consumer_id": consumer.id,
        "expires_at": tokens.session.expires_at,
    }
    if consumer.is_guest:
        session["guest_id"] = consumer.id
    for name in ("email", "phone"):
        if getattr(consumer, name):
            session[name] = getattr(consumer, name)
    return {
        "session": session,
        "access_token": tokens.access_token,
        "access_token_expires_at": tokens.access_expires_at,
        "refresh_token": tokens.refresh_token,
    }


def present_consumer(consumer: Consumer) -> dict[str, Any]:
    """What both of a consumer's endpoints have in common."""
    return {
        "id": consumer.id,
        "email": consumer.email,
        "phone": consumer.phone,
        "full_name": consumer.full_name or None,
        "is_guest": consumer.is_guest,
        "created_at": consumer.created_at,
    }
