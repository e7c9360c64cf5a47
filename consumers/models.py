"""People and their sessions, and the keys that sign what they carry."""

import secrets

from django.db import models

from experiences.models import Organization
from fanfare import clock
from fanfare.fields import IdField


class Consumer(models.Model):
    """Somebody who enters launches of one organization; a guest until they sign in."""

    id = IdField("cons")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="consumers")
    is_guest = models.BooleanField(default=True)
    email = models.EmailField(max_length=254, null=True, blank=True)
    phone = models.CharField(max_length=16, null=True, blank=True, help_text="E.164")
    full_name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.email or self.phone or self.id


def _salt() -> bytes:
    return secrets.token_bytes(16)


class Session(models.Model):
    """One sign-in on one device. Its refresh tokens are numbered by `generation`; only the newest works.

    No refresh token is stored, not even hashed: `refresh_salt` and the server's key make it again
    (`sessions.refresh_token`), so neither a copy of the database nor the key alone forges one.
    """

    id = IdField("sess")
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="sessions")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    refresh_salt = models.BinaryField(max_length=16, default=_salt, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    end_reason = models.CharField(max_length=20, blank=True, editable=False)

    class Meta:
        indexes = [
            # Rebuilding the list of ended sessions in Redis.
            models.Index(
                fields=["ended_at"],
                name="session_ended",
                condition=models.Q(ended_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.id


class SigningKey(models.Model):
    """An Ed25519 key pair for access and admission tokens; the private half is encrypted.

    The newest that is not retired signs; all that are not revoked verify and stand in the JWKS.
    """

    kid = models.CharField(max_length=32, primary_key=True)
    public_pem = models.TextField(editable=False)
    private_box = models.BinaryField(editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.kid
