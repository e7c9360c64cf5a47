"""The one status shape: DistributionStatus of the contract, for every kind."""

from typing import Any

from rest_framework import serializers

from distributions.core import admission
from distributions.core.models import LIVE, Distribution, Status
from distributions.core.standing import Standing
from fanfare.api import IdField


class NextSerializer(serializers.Serializer[Any]):
    """Where to go on when there is nothing here."""

    kind = serializers.ChoiceField(
        ["queue", "sequence", "waitlist"], help_text="Into a queue losers of a draw go by themselves."
    )
    id = serializers.CharField()


class StatusSerializer(serializers.Serializer[Any]):
    """How a consumer stands in a distribution. Absent fields are left out, not null."""

    status = serializers.ChoiceField(Status.choices)
    consumer_id = IdField("cons")
    entered_at = serializers.DateTimeField()
    admitted_at = serializers.DateTimeField(required=False)
    completed_at = serializers.DateTimeField(required=False)
    expires_at = serializers.DateTimeField(required=False, help_text="When the admission ends.")
    deny_reason = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Why, when DENIED: a code, or the shop's own words.",
    )
    admission_token = serializers.CharField(
        required=False, help_text="A signed JWT, for the consumer it belongs to, when ADMITTED."
    )
    poll_after_seconds = serializers.IntegerField(
        required=False, min_value=1, help_text="When asking again makes sense, when QUEUED."
    )
    message = serializers.CharField(
        required=False, max_length=280, help_text="From staff, when QUEUED or ADMITTED; plain text."
    )
    next = NextSerializer(
        required=False, help_text="When DENIED because there was nothing for them: where to go on."
    )


def present(
    distribution: Distribution, standing: Standing, *, with_token: bool = True, **of_kind: Any
) -> dict[str, Any]:
    """The body of a status answer; `of_kind` are the fields that the kind adds.

    `with_token`: the answer goes to the admitted consumer, or to the shop that just admitted them.
    """
    body: dict[str, Any] = {
        "status": standing.status,
        "consumer_id": standing.consumer_id,
        f"{distribution.kind}_id": distribution.pk,
        "entered_at": standing.entered_at,
    }
    if standing.admitted_at is not None:
        body["admitted_at"] = standing.admitted_at
    if standing.status == Status.COMPLETED:
        body["completed_at"] = standing.ended_at
    if standing.status == Status.DENIED:
        body["deny_reason"] = standing.deny_reason
    if standing.status == Status.ADMITTED:
        if standing.expires_at is not None:
            body["expires_at"] = standing.expires_at
        if with_token:
            body["admission_token"] = admission.token(distribution, standing)
    if distribution.message and standing.status in LIVE:
        body["message"] = distribution.message
    return body | of_kind
