"""What the finders among the tasks ask: which distributions of a kind meet some conditions."""

from typing import Any

from django.db.models import Q

from distributions.core.models import Distribution, Kind


def ids_of(kind: Kind, *conditions: Q, **more: Any) -> list[str]:
    """Their ids."""
    found = Distribution.objects.filter(*conditions, kind=kind, **more)
    return list(found.values_list("id", flat=True))
