"""Sessions: open, refresh, end, and whether one is still alive.

Refresh tokens are `rt_<session>_<generation>_<mac>`: made again from the session's salt and the
server's key instead of stored. A session's tokens spend themselves in order; presenting an older one
than the last ends the session (RFC 9700 §4.14.2), but for a short grace in which the answer may have
been lost. Sessions that ended stand in a Redis list until their last access token expires; without
Redis, PostgreSQL is asked.
"""

import base64
import datetime as dt
import hmac
import re
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from consumers import access_tokens
from consumers.models import Consumer, Session
from experiences import events
from experiences.models import Organization
from fanfare import errors, ids, redis, sealing

READY = "ready"  # member of the list of ended sessions: it is complete
_REFRESH = re.compile(rf"rt_({ids.ULID_PATTERN})_([0-9]{{1,9}})_([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True)
class Tokens:
    """What a sign-in or a refresh hands out; `access_expires_at` in UTC."""

    session: Session
    consumer: Consumer
    access_token: str
    access_expires_at: dt.datetime
    refresh_token: str


@transaction.atomic(durable=True)
def open_guest(organization: Organization, *, now: dt.datetime) -> Tokens:
    """A new consumer without a name, and a session for it."""
    consumer = Consumer.objects.create(organization=organization, created_at=now)
    actor = events.by_consumer(consumer.id)
    events.record("consumer.created", organization.id, at=now, actor=actor, consumer_id=consumer.id)
    return open_session(consumer, now=now)


def open_session(consumer: Consumer, *, now: dt.datetime) -> Tokens:
    """A session for a consumer who has just shown who they are; the caller holds the transaction."""
    session = Session.objects.create(
        consumer=consumer,
        organization_id=consumer.organization_id,
        created_at=now,
        expires_at=_expiry(now),
    )
    _trace("session.opened", session, now, {"session": session.id})
    return _tokens(session, now)


def refresh(token: str, organization: Organization, *, now: dt.datetime) -> Tokens:
    """Spend a refresh token for the next pair. Raises InvalidRefreshToken.

    Parallel calls with one token all get the same next one; after `REFRESH_GRACE_SECONDS` a spent
    token means a thief or a stolen-from owner, and the session ends.
    """
    session_id, generation = _read(token)
    session = (
        Session.objects.filter(pk=session_id, organization=organization).select_related("consumer").first()
    )
    if session is None or not hmac.compare_digest(token, refresh_token(session, generation)):
        raise errors.InvalidRefreshToken
    if _rotate(session, generation, now=now) or _in_grace(session, generation, now):
        return _tokens(session, now)
    if session.ended_at is None and generation < session.generation:
        end(session, reason="refresh_reused", now=now)
    raise errors.InvalidRefreshToken


def _rotate(session: Session, generation: int, *, now: dt.datetime) -> bool:
    """Take the next generation if this one is the last, in one guarded update; `session` is re-read."""
    changed = Session.objects.filter(
        pk=session.pk, generation=generation, ended_at=None, expires_at__gt=now
    ).update(generation=generation + 1, rotated_at=now, expires_at=_expiry(now))
    session.refresh_from_db(fields=["generation", "rotated_at", "expires_at", "ended_at"])
    return bool(changed)


def _in_grace(session: Session, generation: int, now: dt.datetime) -> bool:
    """Whether the token was spent just now and its successor not yet."""
    return (
        session.ended_at is None
        and generation == session.generation - 1
        and session.rotated_at is not None
        and (now - session.rotated_at).total_seconds() < settings.REFRESH_GRACE_SECONDS
    )


@transaction.atomic
def end(session: Session, *, reason: str, now: dt.datetime, actor: str | None = None) -> bool:
    """End a session: logout, revocation, reuse. False if it had ended before.

    Its access tokens are refused from then on by every process.
    """
    changed = Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=now, end_reason=reason)
    if changed:
        _trace("session.ended", session, now, {"session": session.id, "reason": reason}, actor)
        transaction.on_commit(lambda: _publish({session.id: _forgotten_at(now)}))
    return bool(changed)


def require_alive(session_id: str, *, now: dt.datetime) -> None:
    """Raise NotAuthenticated when the session has ended."""
    known = redis.attempt("session", lambda: _ask_redis(session_id))
    if known is None:
        known = is_ended(session_id)
    if known:
        raise errors.NotAuthenticated("The session has ended.")


_STATE = redis.Script(
    """
local ended = redis.call('ZMSCORE', KEYS[1], ARGV[1], 'ready')
if ended[1] then return 1 end
return ended[2] and redis.call('EXISTS', KEYS[2]) == 1 and 0 or -1
"""
)


def _ask_redis(session_id: str) -> bool | None:
    """Whether it has ended; None where the list is not complete, or nobody has looked after it lately."""
    state = _STATE([redis.ENDED_SESSIONS, redis.WATCHED], [session_id])
    if state == 1:
        return True
    return None if state == -1 or redis.is_doubtful() else False


def is_ended(session_id: str) -> bool:
    """PostgreSQL's word on a session; one that is not there has ended."""
    return not Session.objects.filter(pk=session_id, ended_at=None).exists()


def publish_ended(since: dt.datetime, *, now: dt.datetime) -> int:
    """Put all sessions that ended since then into the Redis list, and forget those long over."""
    scores = _ended_since(since)
    _publish(scores)
    redis.attempt("session", lambda: _forget_old(now))
    return len(scores)


def rebuild_ended(*, now: dt.datetime) -> None:
    """Fill the list after Redis lost it, and mark it complete, at once: lost again, it is not marked."""
    since = now - dt.timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)
    _publish({**_ended_since(since), READY: float("inf")})


def purge(*, before: dt.datetime, at_most: int) -> int:
    """Delete sessions that ended or expired before then; how many. One that is not there has ended."""
    over = Session.objects.filter(Q(ended_at__lt=before) | Q(expires_at__lt=before)).values("pk")[:at_most]
    return Session.objects.filter(pk__in=over).delete()[0]


def _ended_since(since: dt.datetime) -> dict[str, float]:
    """Sessions that ended since then, each with the Unix second at which its last access token expires."""
    rows = Session.objects.filter(ended_at__gte=since).values_list("id", "ended_at")
    return {session_id: _forgotten_at(at) for session_id, at in rows if at is not None}


def _forgotten_at(ended_at: dt.datetime) -> float:
    return ended_at.timestamp() + settings.ACCESS_TOKEN_SECONDS


def _forget_old(now: dt.datetime) -> None:
    redis.client().zremrangebyscore(redis.ENDED_SESSIONS, "-inf", now.timestamp())


def _publish(scores: dict[str, float]) -> None:
    if scores:
        redis.attempt("session", lambda: redis.client().zadd(redis.ENDED_SESSIONS, scores))


def refresh_token(session: Session, generation: int) -> str:
    """The session's refresh token of that generation."""
    name = f"{session.id.removeprefix('sess_')}_{generation}"
    message = bytes(session.refresh_salt) + name.encode()
    mac = sealing.keyed_hash("refresh", message)
    return f"rt_{name}_{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _read(token: str) -> tuple[str, int]:
    found = _REFRESH.fullmatch(token)
    if found is None:
        raise errors.InvalidRefreshToken
    return f"sess_{found[1]}", int(found[2])


def _tokens(session: Session, now: dt.datetime) -> Tokens:
    consumer = session.consumer
    access, expires_at = access_tokens.issue(consumer, session.id, now=now)
    return Tokens(session, consumer, access, expires_at, refresh_token(session, session.generation))


def _expiry(now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)


def _trace(
    name: str, session: Session, now: dt.datetime, data: dict[str, object], actor: str | None = None
) -> None:
    events.record(
        name,
        session.organization_id,
        at=now,
        actor=actor or events.by_consumer(session.consumer_id),
        consumer_id=session.consumer_id,
        data=data,
    )
