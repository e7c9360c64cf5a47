"""Whom staff mean: a consumer's participations by an id, an address, or a code that they were given."""

from collections.abc import Sequence

from consumers.models import Consumer, Redemption
from distributions.core.models import Distribution, Participation
from experiences import access_codes
from fanfare import ids

MOST = 10  # participations shown; a code may be many people's


def find(distribution: Distribution, who: str, known: Sequence[int] = ()) -> list[Participation]:
    """Their participations here, the latest first; `known`: those that a code of the kind's own is of."""
    term = who.strip()
    people = _consumers(distribution, term)
    rows = Participation.objects.filter(distribution_id=distribution.pk).select_related("consumer")
    found = rows.filter(consumer_id__in=people).order_by("-id")[:MOST] if people else []
    return [*rows.filter(pk__in=known), *(one for one in found if one.pk not in known)]


def _consumers(distribution: Distribution, term: str) -> list[str]:
    """Their ids; a guest who has signed in since is who they are now."""
    mine = Consumer.objects.filter(organization_id=distribution.organization_id)
    if not term:
        return []
    if ids.is_id(term, "cons"):
        found = mine.filter(pk=term).values_list("id", "merged_into_id")
        return [now or then for then, now in found]
    if "@" in term:
        return list(mine.filter(email=term.lower()).values_list("id", flat=True)[:MOST])
    if term.startswith("+"):
        number = "+" + "".join(sign for sign in term if sign.isdecimal())
        return list(mine.filter(phone=number).values_list("id", flat=True)[:MOST])
    used = Redemption.objects.filter(
        access_code__sequence_id=distribution.sequence_id, access_code__digest=access_codes.digest(term)
    )
    return list(used.order_by("-id").values_list("consumer_id", flat=True)[:MOST])
