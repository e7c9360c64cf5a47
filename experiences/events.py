"""The trace: `record` writes one row in the transaction of what it tells.

Moves of participations write theirs inside their own SQL statement (`distributions.core.statements`).
"""

import datetime as dt
from collections.abc import Mapping

from experiences.models import Event
from fanfare import reasons

# Every name that a row may have; the contract lists them. `<kind>.consumer.<move>` come from `moved`.
NAMES = frozenset(
    [
        "key.created",
        "key.revoked",
        "settings.changed",
        "consumer.created",
        "consumer.updated",
        "consumer.merged",
        "consumer.erased",
        "session.opened",
        "session.ended",
        "staff.signed_out",
        "staff.two_factor.reset",
        "experience.consumer.entered",
        "experience.consumer.left",
        "queue.opened",
        "queue.paused",
        "queue.resumed",
        "queue.closed",
        "queue.shuffled",
        "draw.closed",
        "draw.frozen",
        "draw.drawn",
        "timed_release.opened",
        "timed_release.paused",
        "timed_release.resumed",
        "timed_release.closed",
        "appointment.booked",
        "appointment.cancelled",
        "appointment.closed",
        "appointment.completed",
        "appointment.denied",
        "appointment.opened",
        "appointment.paused",
        "appointment.resumed",
        "waitlist.opened",
        "waitlist.paused",
        "waitlist.resumed",
        "waitlist.closed",
        "auction.bid.placed",
        "auction.bid.refused",
        "auction.bid.outbid",
        "auction.bid.voided",
        "auction.extended",
        "auction.closed",
        "auction.settled",
        "auction.cancelled",
    ]
)


def record(
    name: str,
    organization_id: str,
    *,
    at: dt.datetime,
    actor: str,
    distribution_id: str | None = None,
    consumer_id: str | None = None,
    data: Mapping[str, object] | None = None,
) -> None:
    """Write one row; the caller is inside the transaction that makes the change."""
    assert name in NAMES or ".consumer." in name, name
    Event.objects.create(
        at=at,
        name=name,
        organization_id=organization_id,
        distribution_id=distribution_id,
        consumer_id=consumer_id,
        actor=actor,
        data=reasons.added(data),
    )


def by_consumer(consumer_id: str) -> str:
    """The actor of what a consumer does."""
    return f"consumer:{consumer_id}"


def by_key(key_id: str) -> str:
    """The actor of what the shop's server does."""
    return f"key:{key_id}"


def by_staff(user_id: int) -> str:
    """The actor of what a staff user does in the console."""
    return f"staff:{user_id}"


def by_system(task: str) -> str:
    """The actor of what happens by itself, named by its task or command."""
    return f"system:{task}"
