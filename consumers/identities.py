"""Who somebody is: identities, the consumers behind them, and what is known of these.

An identity is (provider, issuer, subject) within an organization. Nothing else ever decides who
somebody is: an e-mail address in a profile links nobody to anybody.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from consumers.models import Consumer, Identity
from experiences import events
from experiences.models import Organization
from fanfare import errors, ids
from fanfare.contacts import Channel, Contact


@dataclass(frozen=True)
class Name:
    """By what the outside knows somebody."""

    provider: str
    issuer: str
    subject: str


@dataclass(frozen=True)
class Profile:
    """What somebody is said to be; empty where nothing is said. Addresses are normalised."""

    email: str = ""
    phone: str = ""
    full_name: str = ""
    is_email_verified: bool = False
    is_phone_verified: bool = False


def find(consumer_id: str, organization_id: str) -> Consumer:
    """The organization's consumer; for a guest who turned out to be somebody, that one. Raises NotFound."""
    found = None
    if ids.is_id(consumer_id, "cons"):
        found = (
            Consumer.objects.filter(pk=consumer_id, organization_id=organization_id)
            .select_related("merged_into")
            .first()
        )
    found = found and (found.merged_into or found)
    if found is None or found.erased_at is not None:
        raise errors.NotFound("Consumer")
    return found


def lock_living(consumer_id: str) -> None:
    """Lock the consumer, so that whoever merges or erases them comes before or after, never meanwhile.

    The caller holds the transaction. Raises NotAuthenticated for one who was merged or erased just now.
    """
    living = Consumer.objects.select_for_update(no_key=True).filter(merged_into=None, erased_at=None)
    if not living.filter(pk=consumer_id).exists():
        raise errors.NotAuthenticated("The session has ended.")


def proved_by_code(contact: Contact) -> Name:
    """The identity of whoever has shown that an address is theirs."""
    return Name(str(contact.channel), "", contact.address)


def of_contact(contact: Contact, full_name: str) -> Profile:
    """What a proved address tells of somebody."""
    if contact.channel == Channel.EMAIL:
        return Profile(email=contact.address, is_email_verified=True, full_name=full_name)
    return Profile(phone=contact.address, is_phone_verified=True, full_name=full_name)


def find_or_create(
    organization: Organization, name: Name, profile: Profile, *, now: dt.datetime, actor: str | None = None
) -> tuple[Consumer, bool]:
    """The consumer known by that name, its empty profile fields filled; True when it is a new one.

    The caller holds the transaction. `actor`: the consumer themselves, unless said otherwise.
    """
    consumer, is_new = _find(organization, name), False
    if consumer is None:
        consumer, is_new = _create(organization, name, now, actor)
    _fill(consumer, profile, now=now, actor=actor, is_new=is_new)
    return consumer, is_new


def given_by_shop(consumer: Consumer) -> list[Name]:
    """The names that the shop's server gave them; addresses that they proved are in the profile."""
    rows = Identity.objects.filter(consumer=consumer).exclude(issuer="").order_by("id")
    return [Name(*row) for row in rows.values_list("provider", "issuer", "subject")]


def _find(organization: Organization, name: Name) -> Consumer | None:
    """Locked, so that nobody is signed in who is being erased: then there is nobody by that name."""
    known = Identity.objects.filter(organization=organization, consumer__erased_at=None, **vars(name))
    locked = known.select_related("consumer").select_for_update(no_key=True, of=("consumer",))
    identity = locked.first()
    return identity.consumer if identity else None


def _create(
    organization: Organization, name: Name, now: dt.datetime, actor: str | None
) -> tuple[Consumer, bool]:
    """A new consumer, or the one that somebody else made at the same moment."""
    try:
        with transaction.atomic():
            consumer = Consumer.objects.create(organization=organization, is_guest=False, created_at=now)
            Identity.objects.create(
                organization=organization, consumer=consumer, created_at=now, **vars(name)
            )
    except IntegrityError:
        found = _find(organization, name)
        if found is None:
            raise
        return found, False
    by = actor or events.by_consumer(consumer.id)
    data = {"provider": name.provider}
    events.record("consumer.created", organization.id, at=now, actor=by, consumer_id=consumer.id, data=data)
    return consumer, True


def _fill(consumer: Consumer, profile: Profile, *, now: dt.datetime, actor: str | None, is_new: bool) -> None:
    """Fill what is empty, and note what is verified. The trace names fields and never what is in them."""
    if not _filling(consumer, profile, now):
        return
    # Asked again under the lock: of two that would fill one field at once, the first one does.
    consumer.refresh_from_db(from_queryset=Consumer.objects.select_for_update(no_key=True))
    filled = _filling(consumer, profile, now)
    if not filled:
        return
    for name, value in filled.items():
        setattr(consumer, name, value)
    consumer.save(update_fields=list(filled))
    if not is_new:
        events.record(
            "consumer.updated",
            consumer.organization_id,
            at=now,
            actor=actor or events.by_consumer(consumer.id),
            consumer_id=consumer.id,
            data={"filled": sorted(filled)},
        )


def _filling(consumer: Consumer, profile: Profile, now: dt.datetime) -> dict[str, object]:
    """What the profile adds, by the consumer's fields."""
    filled: dict[str, object] = {}
    for name in ("email", "phone", "full_name"):
        if getattr(profile, name) and not getattr(consumer, name):
            filled[name] = getattr(profile, name)
    known = vars(consumer) | filled
    for name in ("email", "phone"):
        proved = getattr(profile, f"is_{name}_verified") and known[name] == getattr(profile, name)
        if proved and known[f"{name}_verified_at"] is None:
            filled[f"{name}_verified_at"] = now
    return filled
