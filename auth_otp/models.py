"""One-time codes: what was sent where and how often it was tried, and the development's outbox."""

import secrets

from django.db import models

from experiences.models import Organization
from fanfare import clock
from fanfare.outgoing import Channel, Outgoing

__all__ = ["Channel", "OtpAddress", "OtpChallenge", "OutboxMessage"]


class OtpAddress(models.Model):
    """What one address has been used for in one organization; its row's lock puts its requests in line.

    Wrong guesses are counted in the challenges that they were aimed at.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=254)
    succeeded_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "address"], name="one_row_per_address")
        ]

    def __str__(self) -> str:
        return self.address


def _salt() -> bytes:
    return secrets.token_bytes(16)


class OtpChallenge(Outgoing):
    """A code that was sent. `digest` is its HMAC under the server's key and `salt`.

    `box` holds the code, sealed, until it is handed to the mail or SMS provider, and is emptied then.
    `client` is a keyed hash of the network address that asked. `attempts` counts wrong guesses.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    address = models.CharField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    client = models.BinaryField(max_length=16)
    salt = models.BinaryField(max_length=16, default=_salt)
    digest = models.BinaryField(max_length=32)
    attempts = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "OTP delivery"
        verbose_name_plural = "OTP deliveries"
        indexes = [
            # The last codes of an address, and those that one client asked for.
            models.Index(fields=["organization", "address", "created_at"], name="otp_address"),
            models.Index(fields=["client", "created_at"], name="otp_client"),
            # What is still to be sent, and what is long over.
            models.Index(fields=["created_at"], name="otp_unsent", condition=models.Q(box__isnull=False)),
            models.Index(fields=["created_at"], name="otp_created"),
        ]

    def __str__(self) -> str:
        return f"{self.address} {self.created_at:%Y-%m-%d %H:%M:%S}"


class OutboxMessage(models.Model):
    """A mail or SMS that was shown instead of sent, where no provider is set: for development alone."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="+")
    channel = models.CharField(max_length=5, choices=Channel.choices)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.address} {self.created_at:%Y-%m-%d %H:%M:%S}"
