"""What staff may type into a draw's weights and beacon. Validators raise Django's ValidationError."""

from typing import Any

from django.core.exceptions import ValidationError

from distributions.core.selection import MOST_WEIGHT
from distributions.draws.beacon import CHAINS

MOST_GROUPS = 20
MOST_ROUND = 10**9  # about the year 2118
_WEIGHTS = f'A list such as [{{"sequence": "members", "weight": 3}}], weights from 1 to {MOST_WEIGHT}.'
_BEACON = '{"source": "drand"}, with the chain’s hash and a round if you like.'


def weights(value: Any) -> None:
    """`[{"sequence": <slug>, "weight": 1…100}]`, each sequence once."""
    if not isinstance(value, list) or len(value) > MOST_GROUPS:
        raise ValidationError(_WEIGHTS)
    for entry in value:
        if not isinstance(entry, dict) or set(entry) != {"sequence", "weight"}:
            raise ValidationError(_WEIGHTS)
        weight = entry["weight"]
        is_whole = isinstance(weight, int) and not isinstance(weight, bool)
        if not isinstance(entry["sequence"], str) or not is_whole or not 1 <= weight <= MOST_WEIGHT:
            raise ValidationError(_WEIGHTS)
    if len({entry["sequence"] for entry in value}) < len(value):
        raise ValidationError("Each sequence once.")


def is_chain(value: Any) -> bool:
    """Whether it is the hash of a chain that we know."""
    return isinstance(value, str) and value in CHAINS


def beacon(value: Any) -> None:
    """`{"source": "drand", "chain": <hash>, "round": <number>}`; chain and round may be left out."""
    if value is None:
        return
    if not isinstance(value, dict) or value.get("source") != "drand":
        raise ValidationError(_BEACON)
    if set(value) - {"source", "chain", "round"}:
        raise ValidationError(_BEACON)
    if "chain" in value and not is_chain(value["chain"]):
        raise ValidationError(f"Unknown chain; known are {', '.join(CHAINS)} (drand’s quicknet).")
    number = value.get("round")
    if number is not None and (
        isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MOST_ROUND
    ):
        raise ValidationError("A round is a whole number.")
