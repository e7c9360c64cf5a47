"""What a sequence asks of a consumer: to be signed in, to have used an access code, to be on its list.

One rule for entering an experience (which sequence?) and for entering what a sequence ends in (may I?).
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NoReturn

from consumers.models import Consumer, Identity, Redemption
from experiences import audiences
from experiences.models import AudienceMember, Sequence
from fanfare import contacts, errors
from fanfare.errors import Detail


class Condition(StrEnum):
    """As the contract's `requires` names them."""

    AUTHENTICATION = "authentication"
    ACCESS_CODE = "access_code"
    AUDIENCE = "audience"


Missing = dict[str, list[Condition]]
"""By a sequence's id, what a consumer lacks for it."""

_REFUSALS: dict[Condition, type[errors.FanfareError]] = {
    Condition.AUTHENTICATION: errors.SignInRequired,
    Condition.ACCESS_CODE: errors.AccessCodeRequired,
    Condition.AUDIENCE: errors.NotEligible,
}


def of(sequence: Sequence) -> list[Condition]:
    """What the sequence asks for, in the order in which one can do something about it."""
    asked = {
        Condition.AUTHENTICATION: sequence.requires_authentication,
        Condition.ACCESS_CODE: sequence.requires_access_code,
        Condition.AUDIENCE: sequence.requires_audience,
    }
    return [condition for condition, is_asked in asked.items() if is_asked]


def missing(sequences: Iterable[Sequence], consumer_id: str, *, is_guest: bool) -> Missing:
    """What the consumer lacks for each; at most four queries, and none where nothing is asked."""
    asked = {sequence.pk: of(sequence) for sequence in sequences}
    met = {
        Condition.ACCESS_CODE: _opened_by_code(_asking(asked, Condition.ACCESS_CODE), consumer_id),
        Condition.AUDIENCE: _listing(_asking(asked, Condition.AUDIENCE), consumer_id, is_guest),
    }
    return {
        pk: [
            condition
            for condition in conditions
            if (is_guest if condition == Condition.AUTHENTICATION else pk not in met[condition])
        ]
        for pk, conditions in asked.items()
    }


def _asking(asked: Missing, condition: Condition) -> list[str]:
    return [pk for pk, conditions in asked.items() if condition in conditions]


def _opened_by_code(sequence_ids: list[str], consumer_id: str) -> set[str]:
    """Those for which the consumer has used a code; revoking it later takes nothing back."""
    if not sequence_ids:
        return set()
    used = Redemption.objects.filter(consumer_id=consumer_id, access_code__sequence__in=sequence_ids)
    return set(used.values_list("access_code__sequence_id", flat=True))


def _listing(sequence_ids: list[str], consumer_id: str, is_guest: bool) -> set[str]:
    """Those on whose list the consumer is, by something that was proved."""
    if not sequence_ids or is_guest:
        return set()
    rows = AudienceMember.objects.filter(sequence__in=sequence_ids, key__in=audience_keys(consumer_id))
    return set(rows.values_list("sequence_id", flat=True))


def audience_keys(consumer_id: str) -> list[str]:
    """By what a list may name the consumer: proved addresses, and the names that the shop gave."""
    consumer = Consumer.objects.get(pk=consumer_id)
    found = []
    if consumer.email and consumer.email_verified_at:
        found.append(f"{audiences.EMAIL}:{consumer.email}")
    if consumer.phone and consumer.phone_verified_at:
        found.append(f"{audiences.PHONE}:{consumer.phone}")
    names = Identity.objects.filter(consumer_id=consumer_id).values_list("provider", "issuer", "subject")
    for provider, issuer, subject in names:
        is_own = issuer == "" and provider in list(contacts.Channel)
        found.append(f"{provider if is_own else audiences.EXTERNAL}:{subject}")
    return found


def require(sequence: Sequence, consumer_id: str, *, is_guest: bool) -> None:
    """Raise what the consumer lacks first: SignInRequired, AccessCodeRequired or NotEligible."""
    if not of(sequence):
        return
    lacking = missing([sequence], consumer_id, is_guest=is_guest)
    if lacking[sequence.pk]:
        refuse([sequence], lacking, is_guest=is_guest)


def refuse(sequences: Iterable[Sequence], lacking: Missing, *, is_guest: bool) -> NoReturn:
    """Raise what is first to be done for the sequence that is nearest; `details` say it of each."""
    needs = [(sequence, _steps(lacking[sequence.pk], is_guest)) for sequence in sequences]
    if not needs:
        raise errors.NotEligible("There is no way in yet.")
    _, nearest = min(needs, key=lambda need: len(need[1]))
    details = [
        Detail(f"sequences.{sequence.pk}", f"{sequence.name}: needs {_words(steps)}.")
        for sequence, steps in needs
    ]
    raise _REFUSALS[nearest[0]](_MESSAGES[nearest[0]], details=details)


def _steps(lacking: list[Condition], is_guest: bool) -> list[Condition]:
    """What is to be done, in order: a guest may be on the list under the name that they sign in with."""
    signs_in = is_guest and Condition.AUDIENCE in lacking and Condition.AUTHENTICATION not in lacking
    return [Condition.AUTHENTICATION, *lacking] if signs_in else lacking


_MESSAGES = {
    Condition.AUTHENTICATION: "Guests can't enter here. Sign in first.",
    Condition.ACCESS_CODE: "Enter the experience with an access code that is valid and not used up.",
    Condition.AUDIENCE: "This is for people on a list, and you are not on it.",
}
_IN_WORDS = {
    Condition.AUTHENTICATION: "a sign-in",
    Condition.ACCESS_CODE: "an access code",
    Condition.AUDIENCE: "a place on its list",
}


def _words(conditions: list[Condition]) -> str:
    return " and ".join(_IN_WORDS[condition] for condition in conditions)
