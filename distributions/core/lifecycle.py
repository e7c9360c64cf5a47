"""Enter, admit, complete, deny, leave, expire: the moves of a participation, for every kind.

The only caller of `statements`. Each move is guarded in SQL; one that was made before is answered as
then (invariant 3). Redis hears of it after the commit; if it does not, the next read or the
reconciliation repairs that.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import BooleanField, ExpressionWrapper

from consumers.models import Consumer
from distributions.core import doors, fingerprints, live, statements
from distributions.core.models import (
    LIVE,
    OVER_FOR_NOW,
    REASONS,
    Distribution,
    Participation,
    Reason,
    Status,
    Tally,
)
from distributions.core.standing import Standing
from experiences import events
from fanfare import errors, metrics

RETRY_WHEN_FULL = 15  # seconds
_COLUMNS = statements.COLUMNS.split(", ")


def enter(
    distribution: Distribution,
    consumer_id: str,
    *,
    now: dt.datetime,
    actor: str,
    fingerprint: bytes | None = None,
    metadata: dict[str, Any] | None = None,
    **claim: Any,
) -> Standing:
    """A place for the consumer, or the one they have. Raises Full, Closed, or NotAuthenticated for one
    who was merged or erased just now.

    Who left, or let an admission expire, gets a new place at the end; who was denied or has completed
    stays so. Over the device limit: DENIED. `claim`: what `statements.enter` knows beside, such as
    `out_of_turn`, which needs no free place.
    """
    values: dict[str, Any] = {"now": now, "actor": actor, "fingerprint": fingerprint, "metadata": metadata}
    limited = None if claim.get("out_of_turn") else distribution.max_entries_per_fingerprint
    with doors.one_device_at_a_time(distribution, fingerprint if limited else None):
        if (
            limited
            and fingerprint
            and doors.is_device_used_up(distribution, consumer_id, fingerprint, limited)
        ):
            # Unless they entered by another device just now: then they are found below.
            with suppress(IntegrityError), transaction.atomic():
                denied = doors.turn_away(distribution, consumer_id, unit=claim.get("unit", 1), **values)
                return _publish(distribution, [denied])[0]
        found = _enter(distribution, consumer_id, values | claim)
        if found is not None and found[0].at(now).status != found[0].status:
            expire(distribution, [found[0].id], now=now)
            found = _enter(distribution, consumer_id, values | claim)
        if found is None:
            raise _no_place(distribution, consumer_id)
        standing, repeated = found
        if standing.status == Status.ADMITTED and not repeated:
            metrics.MOVES.labels(distribution.kind, Status.ADMITTED).inc()
        if repeated and not fingerprints.matches(standing.fingerprint, fingerprint):
            doors.raise_risk(distribution, standing, now=now, actor=actor)
        return _publish(distribution, [standing])[0]


def _enter(
    distribution: Distribution, consumer_id: str, values: dict[str, Any]
) -> tuple[Standing, bool] | None:
    """Asked again when the first answer is no: who raced with themselves finds what the other one made."""
    found = None
    with suppress(IntegrityError), transaction.atomic() if connection.in_atomic_block else nullcontext():
        found = statements.enter(distribution, consumer_id, **values)
    return found or statements.enter(distribution, consumer_id, **values)


def _no_place(distribution: Distribution, consumer_id: str) -> errors.FanfareError:
    """Why ENTER gave no place."""
    if not Consumer.objects.filter(pk=consumer_id, merged_into=None, erased_at=None).exists():
        return errors.NotAuthenticated("The session has ended.")
    if Tally.objects.filter(pk=distribution.pk, is_closed=True).exists():
        return errors.Closed(distribution.title)
    return errors.Full(distribution.title, retry_after=RETRY_WHEN_FULL)


def admit(
    distribution: Distribution,
    participation_ids: Sequence[int],
    *,
    now: dt.datetime,
    actor: str,
    expires_at: dt.datetime | None,
    data: dict[str, Any] | None = None,
) -> list[Standing]:
    """Admit those of them who are waiting; the others are left as they are."""
    return _move(
        distribution,
        participation_ids,
        Status.ADMITTED,
        now=now,
        actor=actor,
        expires_at=expires_at,
        data=data,
    )


def deny_all(
    distribution: Distribution,
    participation_ids: Sequence[int],
    *,
    reason: str,
    now: dt.datetime,
    actor: str,
    sources: Sequence[Status] = LIVE,
) -> list[Standing]:
    """Deny those of them who are waiting or inside; `sources`: only who stands in one of these states."""
    return _move(
        distribution,
        participation_ids,
        Status.DENIED,
        now=now,
        actor=actor,
        reason=reason,
        sources=sources,
    )


def expire(
    distribution: Distribution, participation_ids: Sequence[int], *, now: dt.datetime
) -> list[Standing]:
    """End those admissions among them whose time is over."""
    return _move(
        distribution,
        participation_ids,
        Status.DENIED,
        now=now,
        actor=events.by_system("expire_admissions"),
        reason=Reason.ADMISSION_EXPIRED,
        sources=[Status.ADMITTED],
        expired=True,
    )


def expired(now: dt.datetime, at_most: int = 5_000) -> dict[Distribution, list[int]]:
    """Admissions whose time is over and that nobody has ended yet, by distribution."""
    rows = Participation.objects.filter(status=Status.ADMITTED, expires_at__lte=now).order_by("expires_at")
    found: dict[str, list[int]] = {}
    for distribution_id, identity in rows.values_list("distribution_id", "id")[:at_most]:
        found.setdefault(distribution_id, []).append(identity)
    distributions = Distribution.objects.select_related("tally").in_bulk(list(found))
    return {distributions[key]: ids for key, ids in found.items() if key in distributions}


def complete(
    distribution: Distribution,
    consumer_id: str,
    *,
    now: dt.datetime,
    actor: str,
    order_id: str = "",
    which: int | None = None,
) -> Standing:
    """The shop's word that the consumer is done. Raises NotEntered, IllegalMove.

    `which` names one of several participations that they may have; else it is the last.
    """
    # The order's number stays out of the trace, which nothing can be erased from.
    return _move_one(
        distribution,
        consumer_id,
        Status.COMPLETED,
        which,
        now=now,
        actor=actor,
        order_id=order_id,
    )


def completed_by(distribution: Distribution, consumer_id: str, order_id: str) -> Standing | None:
    """What the consumer completed with this order before, so that a repeated word for it is known as one."""
    rows = Participation.objects.filter(distribution_id=distribution.pk, consumer_id=consumer_id)
    done = rows.filter(status=Status.COMPLETED, order_id=order_id) if order_id else rows.none()
    row = done.values_list(*_COLUMNS).first()
    return Standing.from_row(row) if row else None


def deny(
    distribution: Distribution,
    consumer_id: str,
    *,
    now: dt.datetime,
    actor: str,
    reason: str,
    which: int | None = None,
) -> Standing:
    """Turn somebody away who waits or is inside. Raises NotEntered, IllegalMove."""
    # Own words stand in the participation alone: they may name somebody, and the trace can't forget.
    data = {"reason": reason} if reason in REASONS else {}
    more: dict[str, Any] = {"now": now, "actor": actor, "reason": reason, "data": data}
    return _move_one(distribution, consumer_id, Status.DENIED, which, **more)


def leave(
    distribution: Distribution, consumer_id: str, *, now: dt.datetime, actor: str, which: int | None = None
) -> Standing:
    """Give up the place or the admission. Raises NotEntered, IllegalMove."""
    return _move_one(distribution, consumer_id, Status.LEFT, which, now=now, actor=actor)


def leave_all(
    distribution: Distribution, participation_ids: Sequence[int], *, now: dt.datetime, actor: str
) -> list[Standing]:
    """End those of them that wait or are inside, as if their consumers had left."""
    return _move(distribution, participation_ids, Status.LEFT, now=now, actor=actor)


def hand_over(distribution: Distribution, participation_id: int, consumer_id: str, *, unit: int = 1) -> None:
    """Let a participation be somebody else's, just as it is; the caller holds the transaction.

    Raises IntegrityError where they have one of this unit that counts.
    """
    Participation.objects.filter(pk=participation_id).update(consumer_id=consumer_id, unit=unit)
    row = Participation.objects.values_list(*_COLUMNS).get(pk=participation_id)
    _publish(distribution, [Standing.from_row(row)])


@contextmanager
def unadjusted(distribution: Distribution) -> Iterator[Distribution]:
    """A kind's `adjusting` where nothing hangs on who takes part: around denying, erasing and merging."""
    yield distribution


def latest(distribution: Distribution, consumer_id: str, which: int | None = None) -> Standing:
    """PostgreSQL's word on how the consumer stands, or on the one participation. Raises NotEntered."""
    rows = Participation.objects.filter(distribution_id=distribution.pk, consumer_id=consumer_id)
    rows = rows if which is None else rows.filter(pk=which)
    # Of the last unit the one that counts, else the last: after a merger the one that counts may be older.
    row = (
        rows.alias(is_over=ExpressionWrapper(OVER_FOR_NOW, BooleanField()))
        .order_by("-unit", "is_over", "-id")
        .values_list(*_COLUMNS)
        .first()
    )
    if row is None:
        raise errors.NotEntered(distribution.title)
    return Standing.from_row(row)


def republish(distribution: Distribution, standing: Standing) -> Standing:
    """Give Redis a standing that it did not have."""
    return _publish(distribution, [standing])[0]


def _move_one(
    distribution: Distribution,
    consumer_id: str,
    to: Status,
    which: int | None,
    *,
    now: dt.datetime,
    **columns: Any,
) -> Standing:
    """Move the consumer's last participation, or the named one; made before: as it is; not possible:
    IllegalMove.
    """
    before = latest(distribution, consumer_id, which)
    moved = _move(distribution, [before.id], to, now=now, **columns)
    if moved:
        return moved[0]
    found = latest(distribution, consumer_id, which).at(now)
    if found.status == to and found.deny_reason != Reason.ADMISSION_EXPIRED:
        return found
    raise errors.IllegalMove(f"It is {found.status}; that can't become {to}.", status=found.status)


def _move(
    distribution: Distribution,
    participation_ids: Sequence[int],
    to: Status,
    *,
    now: dt.datetime,
    **columns: Any,
) -> list[Standing]:
    moved = statements.move(distribution, participation_ids, to, now=now, **columns)
    if moved:
        metrics.MOVES.labels(distribution.kind, to).inc(len(moved))
    return _publish(distribution, [standing for standing, _ in moved])


def _publish(distribution: Distribution, standings: list[Standing]) -> list[Standing]:
    """Tell Redis, now or when the transaction commits; a single waiting one comes back counted."""
    if not standings:
        return []
    frozen = distribution.tally.frozen or 0
    if connection.in_atomic_block:
        transaction.on_commit(lambda: live.push(distribution.pk, frozen, standings) and None)
        return standings
    position = live.push(distribution.pk, frozen, standings)
    return [live.with_position(standings[0], position)] if len(standings) == 1 else standings
