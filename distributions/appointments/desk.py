"""What staff do at the desk: book for somebody who calls, whoever that is."""

import datetime as dt

from django.db import transaction

from consumers import identities
from consumers.models import Consumer
from distributions.appointments import bookings
from distributions.appointments.bookings import Ask
from distributions.core.models import Distribution
from distributions.core.standing import Standing
from fanfare import contacts, errors, ids
from fanfare.errors import Detail


def book_for(
    distribution: Distribution, who: str, full_name: str, start: dt.datetime, *, now: dt.datetime, actor: str
) -> tuple[Consumer, Standing]:
    """Book for a consumer by id, e-mail address or telephone number; a new one where the address is new,
    whom they turn out to be once they sign in with it. Raises Invalid, by field, and what `book` does.
    """
    consumer = _find(distribution, who.strip(), full_name, now, actor)
    ask = Ask(consumer.pk, start, now, actor, is_staff=True)
    return consumer, bookings.book(distribution, ask)


@transaction.atomic
def _find(distribution: Distribution, who: str, full_name: str, now: dt.datetime, actor: str) -> Consumer:
    if ids.is_id(who, "cons"):
        try:
            return identities.find(who, distribution.organization_id)
        except errors.NotFound:
            raise errors.Invalid(Detail("who", "There is no such consumer.")) from None
    try:
        contact = contacts.email(who) if "@" in who else contacts.phone(who)
    except ValueError:
        problem = "An e-mail address, a telephone number with its +, or a consumer's id."
        raise errors.Invalid(Detail("who", problem)) from None
    is_mail = contact.channel == contacts.Channel.EMAIL
    # Nobody has proved the address yet: it is only where reminders go.
    profile = identities.Profile(
        email=contact.address if is_mail else "",
        phone="" if is_mail else contact.address,
        full_name=full_name,
    )
    name = identities.proved_by_code(contact)
    found, _ = identities.find_or_create(distribution.organization, name, profile, now=now, actor=actor)
    return found
