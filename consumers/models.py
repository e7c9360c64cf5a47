"""People: who they are, how they signed in, where they have come in; and the keys that sign what they carry.

Whoever is erased stays as a row without a name, so that the trace that fairness needs stays whole.
"""

import secrets

from django.db import models

from experiences.models import AccessCode, Experience, Organization, Sequence
from fanfare import clock
from fanfare.fields import IdField
from fanfare.outgoing import Channel, Outgoing


class Consumer(models.Model):
    """Somebody who enters launches of one organization; a guest until they sign in."""

    id = IdField("cons")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="consumers")
    is_guest = models.BooleanField(default=True)
    email = models.EmailField(max_length=254, null=True, blank=True)
    phone = models.CharField(max_length=16, null=True, blank=True, help_text="E.164")
    # When a code was sent there and came back, or the shop's server vouched for it.
    email_verified_at = models.DateTimeField(null=True, editable=False)
    phone_verified_at = models.DateTimeField(null=True, editable=False)
    full_name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    merged_into = models.ForeignKey(
        "self", models.CASCADE, null=True, editable=False, related_name="guests",
        help_text="Who the guest turned out to be.",
    )  # fmt: skip
    erased_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [
            # The console's search; none of them decides who somebody is, identities do.
            models.Index(fields=["email"], name="consumer_email", condition=models.Q(email__isnull=False)),
            models.Index(fields=["phone"], name="consumer_phone", condition=models.Q(phone__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.email or self.phone or self.id


class Identity(models.Model):
    """By what a consumer is known: (provider, issuer, subject), unique within the organization.

    The shop's own accounts have the names that its server gives them. An address that somebody proved
    by a one-time code has the provider `email` or `phone`, no issuer, and the address as its subject.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="identities")
    provider = models.CharField(max_length=50)
    issuer = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=320)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "provider", "issuer", "subject"], name="one_consumer_per_identity"
            )
        ]
        indexes = [models.Index(fields=["subject"], name="identity_subject")]  # the console's search

    def __str__(self) -> str:
        return f"{self.provider}: {self.subject}"


class ExchangeCode(models.Model):
    """What the shop's server hands to a browser to sign a consumer in: once, for a minute, kept as a hash."""

    id = models.BigAutoField(primary_key=True)
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="exchange_codes")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"for {self.consumer_id}"


class Visit(models.Model):
    """A consumer in an experience, and the sequence that they may take; left ones stay for the record."""

    id = models.BigAutoField(primary_key=True)
    experience = models.ForeignKey(Experience, models.CASCADE, related_name="visits", db_index=False)
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="visits")
    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="+")
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["experience", "consumer"], name="one_visit", condition=models.Q(left_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.consumer_id} in {self.experience_id}"


class Redemption(models.Model):
    """A consumer's one use of an access code; it opens the sequence to them from then on."""

    id = models.BigAutoField(primary_key=True)
    access_code = models.ForeignKey(AccessCode, models.CASCADE, related_name="redemptions", db_index=False)
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="redemptions")
    redeemed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["access_code", "consumer"], name="one_redemption")]

    def __str__(self) -> str:
        return f"{self.access_code_id} by {self.consumer_id}"


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
            ),
            models.Index(fields=["expires_at"], name="session_expires"),  # forgetting old ones
        ]

    def __str__(self) -> str:
        return self.id


class Message(Outgoing):
    """A mail or SMS to a consumer, whose address is read when it is sent. `reference` names it: what is
    posted twice is there once. `box` holds JSON: {template, subject, sms, context}.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="messages")
    channel = models.CharField(max_length=5, choices=Channel.choices)
    reference = models.CharField(max_length=200, unique=True)

    class Meta:
        indexes = [
            # What is still to be sent, and what is long over.
            models.Index(fields=["created_at"], name="message_unsent", condition=models.Q(box__isnull=False)),
            models.Index(fields=["sent_at"], name="message_sent", condition=models.Q(sent_at__isnull=False)),
            models.Index(fields=["expires_at"], name="message_expires"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def address(self) -> str | None:
        """Where the consumer is reached by this channel now."""
        return self.consumer.email if self.channel == Channel.EMAIL else self.consumer.phone


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
