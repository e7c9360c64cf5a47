"""What all kinds of distribution show of themselves, and the proof of those that draw by lot."""

from typing import Any

from rest_framework import serializers

from distributions.core.models import Distribution
from fanfare.api import IdField

HASH = "[0-9a-f]{64}"
_ENTRY = rf"^([1-9][0-9]? {HASH}|100 {HASH}|0 [A-Z_]+)$"


class DistributionSerializer(serializers.Serializer[Any]):
    """A distribution as anyone with a key sees it; each kind adds its id and its settings."""

    name = serializers.CharField()
    sequence_id = IdField("seq")
    experience_id = IdField("exp")
    open_at = serializers.DateTimeField(allow_null=True)
    close_at = serializers.DateTimeField(allow_null=True)
    time_zone = serializers.CharField()
    supports_guest = serializers.BooleanField()
    proof_of_work = serializers.BooleanField(
        required=False, help_text="Entering costs a proof of work: see `challenge`."
    )
    message = serializers.CharField(
        required=False, max_length=280, help_text="From staff to those who wait; plain text."
    )


def present(distribution: Distribution, **of_kind: Any) -> dict[str, Any]:
    """The body of a distribution, also inside its experience; `of_kind` are the fields that the kind adds."""
    body = {
        "id": distribution.pk,
        "name": distribution.name,
        "sequence_id": distribution.sequence_id,
        "experience_id": distribution.sequence.experience_id,
        "open_at": distribution.open_at,
        "close_at": distribution.close_at,
        "time_zone": distribution.zone,
        "supports_guest": distribution.supports_guest,
        **of_kind,
    }
    often_empty = {"proof_of_work": distribution.proof_of_work > 0, "message": distribution.message}
    return body | {name: value for name, value in often_empty.items() if value}


class HashField(serializers.RegexField):
    """32 bytes, hexadecimal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(rf"^{HASH}$", **options)


class ReceiptSerializer(serializers.Serializer[Any]):
    """What shows that an entry was in the list; `token` is the same, signed by the server's key."""

    entry_number = serializers.IntegerField(min_value=1)
    entry_id = serializers.RegexField("^[0-9a-f]{32}$", help_text="Tells nobody who you are; keep it.")
    weight = serializers.IntegerField(min_value=1, max_value=100)
    leaf = HashField()
    token = serializers.CharField(help_text="A JWT, `typ` receipt+jwt, checked by the JWKS.")


class BeaconSerializer(serializers.Serializer[Any]):
    """The round of a public beacon, and its value once it was fetched and checked."""

    source = serializers.ChoiceField(["drand"])  # type: ignore[assignment]
    chain = HashField()
    round = serializers.IntegerField(min_value=1)
    round_at = serializers.DateTimeField(help_text="When the round is due.")
    signature = serializers.CharField(required=False)
    randomness = HashField(required=False, help_text="SHA-256 of the signature.")


class RemovedSerializer(serializers.Serializer[Any]):
    """Entries that are in the list no more."""

    count = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField())


class GroupSerializer(serializers.Serializer[Any]):
    """Entries of one weight."""

    weight = serializers.IntegerField(min_value=1, max_value=100)
    entries = serializers.IntegerField()
    odds = serializers.FloatField(help_text="The chance of each of them to be among the winners.")


class RankedSerializer(serializers.Serializer[Any]):
    """An entry in the drawn order."""

    number = serializers.IntegerField(min_value=1)
    rank = HashField()


class PassedOverSerializer(serializers.Serializer[Any]):
    """An entry that was removed after the freeze, and so got no place."""

    number = serializers.IntegerField(min_value=1)
    reason = serializers.CharField()


class EntriesSerializer(serializers.Serializer[Any]):
    """A page of the frozen list."""

    first = serializers.IntegerField(min_value=1)
    data = serializers.ListField(  # type: ignore[assignment]
        child=serializers.RegexField(_ENTRY),
        help_text="From number `first` on: weight and mark, or 0 and why the entry was removed.",
    )
    next_cursor = serializers.CharField(allow_null=True)


class ProofSerializer(serializers.Serializer[Any]):
    """All that a third party needs to repeat a drawing; what is not known yet is left out."""

    version = serializers.IntegerField()
    kind = serializers.ChoiceField(["draw", "queue"])
    id = serializers.CharField()
    level = serializers.ChoiceField(["commit-reveal", "beacon"])
    status = serializers.ChoiceField(["COMMITTED", "FROZEN", "WAITING_FOR_BEACON", "DRAWN", "CANCELLED"])
    commitment = HashField(help_text="SHA-256 of the seed.")
    winner_count = serializers.IntegerField(required=False)
    beacon = BeaconSerializer(required=False)
    frozen_at = serializers.DateTimeField(required=False)
    frozen_by = serializers.ChoiceField(["schedule", "staff"], required=False)
    root = HashField(  # type: ignore[assignment]
        required=False, help_text="Of the Merkle tree over the entries."
    )
    numbers_given = serializers.IntegerField(required=False)
    entry_count = serializers.IntegerField(required=False)
    removed_before_draw = RemovedSerializer(required=False)
    groups = GroupSerializer(many=True, required=False)
    drawn_at = serializers.DateTimeField(required=False)
    seed = HashField(required=False)
    draw_key = HashField(required=False)
    winners = RankedSerializer(many=True, required=False)
    alternates = RankedSerializer(many=True, required=False)
    places_offered = serializers.IntegerField(required=False)
    passed_over = PassedOverSerializer(many=True, required=False)
    entries = EntriesSerializer(required=False)
