"""Which experience an address means, and what its page needs of the organization."""

from django.conf import settings

from experiences.models import ApiKey, Experience, KeyKind, Organization
from fanfare import ids


def by_name(name: str) -> Experience | None:
    """By id, or by a slug that no other organization's experience has as well."""
    experiences = Experience.objects.select_related("organization")
    if ids.is_id(name, "exp"):
        return experiences.filter(pk=name).first()
    found = list(experiences.filter(slug=name)[:2])
    return found[0] if len(found) == 1 else None


def by_names(organization: str, name: str) -> Experience | None:
    """By the organization's slug and its own."""
    experiences = Experience.objects.select_related("organization")
    return experiences.filter(organization__slug=organization, slug=name).first()


def address(experience: Experience) -> str:
    """The one to share: it means this experience for as long as the slugs stay."""
    return f"{settings.PUBLIC_URL}/e/{experience.organization.slug}/{experience.slug}"


def publishable_key(organization: Organization) -> str | None:
    """The key that the page's script calls with: the oldest one, a live one first, so that it changes only
    when staff revoke it. None where the organization has no publishable key.
    """
    good = ApiKey.objects.filter(organization=organization, kind=KeyKind.PUBLISHABLE, revoked_at=None)
    return good.order_by("mode", "created_at").values_list("text", flat=True).first()
