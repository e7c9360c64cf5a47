"""The bodies that the verbs of all kinds take and answer, and what each verb may refuse.

A participation's own answer is `core.status`; a kind's is in its package.
"""

import datetime as dt
from typing import Any

import orjson
from rest_framework import serializers

from distributions.core import admission
from distributions.core.models import Kind, Reason
from fanfare import errors
from fanfare.api import IdField, TextField

METADATA_BYTES = 2048
_OPENING = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)  # of the schema's examples
Refusals = list[errors.FanfareError]


class MetadataField(serializers.DictField):
    """An object of the shop's, of at most `METADATA_BYTES` as JSON."""

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if len(orjson.dumps(value)) > METADATA_BYTES:
            raise serializers.ValidationError(f"At most {METADATA_BYTES} bytes.")
        return value


class EnterSerializer(serializers.Serializer[Any]):
    """The body of an entry."""

    metadata = MetadataField(required=False, help_text="Anything the shop wants kept; at most 2 KiB.")


class ConsumerSerializer(serializers.Serializer[Any]):
    """The body of a move by secret key."""

    consumer_id = TextField(max_length=64)


class CompleteSerializer(ConsumerSerializer):
    """The body of a completion."""

    order_id = TextField(max_length=200, required=False, allow_blank=True)


class DenySerializer(ConsumerSerializer):
    """The body of a denial."""

    reason = TextField(max_length=200, help_text="A code of the contract, or the shop's own words.")

    def validate_reason(self, value: str) -> str:
        """Expiry lets a consumer enter again; only the clock decides it."""
        if value == Reason.ADMISSION_EXPIRED:
            raise serializers.ValidationError("Only the clock says so.")
        return value


class ValidateSerializer(ConsumerSerializer):
    """The body of a validation."""

    token = TextField(max_length=4096)


class VerdictSerializer(serializers.Serializer[Any]):
    """Whether a token admits; `code` and `message` say why not."""

    valid = serializers.BooleanField()
    consumer_id = IdField("cons", required=False)
    admitted_at = serializers.DateTimeField(required=False)
    expires_at = serializers.DateTimeField(required=False)
    code = serializers.ChoiceField(admission.CODES, required=False)
    message = serializers.CharField(required=False)


def refused_entries(title: str) -> Refusals:
    """Of `enter`; a timed release has a stock instead of places."""
    has_stock = title == Kind.TIMED_RELEASE.label
    return [
        errors.FingerprintRequired(),
        errors.WorkRequired(),
        errors.WorkInvalid(),
        errors.SignInRequired("Guests can't enter here. Sign in first."),
        errors.AccessCodeRequired(),
        errors.NotEligible(),
        errors.NotOpenYet(title, _OPENING, now=_OPENING - dt.timedelta(minutes=5), wait_until=_OPENING),
        errors.Closed(title),
        errors.Closed(title, paused=True),
        errors.SoldOut(title, retry_after=15) if has_stock else errors.Full(title, retry_after=15),
    ]


def refused_challenges(title: str) -> Refusals:
    """Of `challenge`."""
    return [errors.RateLimited("Too often. Try again in 60 s.", retry_after=60)]


def refused_bids(title: str) -> Refusals:
    """Of `bid`: a place is never wanting, a higher bid may be."""
    entries = [refusal for refusal in refused_entries(title) if not isinstance(refusal, errors.Full)]
    bids = [errors.BidTooLow("150.00"), errors.BidBelowIncrement("150.00")]
    others = [errors.IllegalMove(status="ADMITTED"), errors.KeyReused()]
    return [*(one for one in entries if not one.code.endswith("_PAUSED")), *bids, *others]


def refused_bookings(title: str) -> Refusals:
    """Of `book`: the appointment is never full, a slot may be."""
    entries = [refusal for refusal in refused_entries(title) if not isinstance(refusal, errors.Full)]
    slots = [errors.NotFound("Slot"), errors.SlotFull("Choose another one.")]
    return [*entries, *slots, errors.BookingLimit("At most 1 at a time; cancel or rebook one.")]


def refused_rebookings(title: str) -> Refusals:
    """Of `rebook`: what `book` and `cancel` refuse."""
    return [*refused_bookings(title), *refused_cancellations(title)]


def refused_cancellations(title: str) -> Refusals:
    """Of `cancel`."""
    several = errors.Invalid(errors.Detail("booking_id", "There are several bookings; say which."))
    late = errors.TooLateToCancel("It could be cancelled until 2026-12-01T09:00:00Z.")
    bodies: Refusals = [
        errors.LengthRequired("Send Content-Length."),
        errors.BodyTooLarge(),
        errors.UnsupportedMediaType("Send application/json."),
    ]
    often = errors.RateLimited("Too often. Try again in 60 s.", retry_after=60)
    return [errors.NotFound("Booking"), several, late, errors.IllegalMove(status="COMPLETED"), often, *bodies]


def refused_calendar_files(title: str) -> Refusals:
    """Of a booking's calendar file."""
    return [errors.NotFound("Booking")]


def refused_slots(title: str) -> Refusals:
    """Of `slots`."""
    return [errors.Invalid(errors.Detail("date", "Either date, or startDate and endDate."))]


def refused_pages(title: str) -> Refusals:
    """Of lists that come in pages."""
    return [errors.Invalid(errors.Detail("limit", "A valid integer is required."))]


def refused_reads(title: str) -> Refusals:
    """Of `status`."""
    return [errors.NotEntered(title)]


def refused_leaves(title: str) -> Refusals:
    """Of `leave`; a draw's list stands once entries have closed."""
    closed = [errors.Closed(title)] if title == Kind.DRAW.label else []
    return [errors.NotEntered(title), errors.IllegalMove(status="COMPLETED"), *closed]


def refused_admissions(title: str) -> Refusals:
    """Of `admit`: a full line does not stop it."""
    opening = errors.NotOpenYet(title, _OPENING, now=_OPENING, wait_until=_OPENING)
    return [
        errors.NotFound("Consumer"),
        opening,
        errors.Closed(title),
        errors.IllegalMove(status="DENIED"),
    ]


def refused_moves(title: str) -> Refusals:
    """Of `complete` and `deny`; of several bookings one may be named."""
    named = [errors.NotFound("Booking")] if title == Kind.APPOINTMENT.label else []
    return [errors.NotFound("Consumer"), errors.NotEntered(title), errors.IllegalMove(status="LEFT"), *named]


def refused_validations(title: str) -> Refusals:
    """Of `validate`, where the device is asked for; a bad token is an answer and no refusal."""
    return [errors.FingerprintRequired(), errors.DeviceMismatch()]


def refused_proofs(title: str) -> Refusals:
    """Of `proof`: which page, and how often."""
    return [*refused_pages(title), *refused_proof_files(title)]


def refused_proof_files(title: str) -> Refusals:
    """Of the proof as a file."""
    return [errors.NotFound("Proof"), errors.RateLimited("Too often. Try again in 60 s.", retry_after=60)]
