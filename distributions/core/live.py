"""Redis' view of participations: written after each commit, read by the hot endpoints in one trip.

Per distribution: `standings`, a hash from consumer to a line of text, and `gone`, a bitmap in which bit
p says that place p waits no more. A position is a place less the gone ones before it. Both only grow:
a standing gives way to a later one alone, a bit is never cleared. So writes may come late, twice or in
any order, rebuilding is an OR over what is there, and a position never gets worse (invariant 8).
Bit 0 says that the bitmap is complete; while it is not, PostgreSQL counts. PostgreSQL may know of moves
that Redis is still to hear of, so what it counted is kept in `told` and not exceeded afterwards.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

from distributions.core.models import Status
from distributions.core.standing import Standing
from fanfare import redis
from fanfare.clock import from_micros, to_micros
from fanfare.limits import WINDOW_SECONDS, Usage, window

CHUNK = 500  # standings in one call of PUSH
_COUNTER_SECONDS = 2 * WINDOW_SECONDS

# Position of a place, or -1 while the bitmap is not complete. Places up to `frozen` are tickets of a
# pre-queue; the line proper starts behind them (see queues.shuffle).
_POSITION = """
local function position(gone, told, place, frozen)
  if redis.call('GETBIT', gone, 0) == 0 then return -1 end
  local base = place > frozen and frozen or 0
  if place == base + 1 then return 1 end
  local found = place - base - redis.call('BITCOUNT', gone, base + 1, place - 1, 'BIT')
  return math.min(found, tonumber(redis.call('HGET', told, place) or found))
end
"""

# One trip for a consumer's request: does the session live, how much of the rate is used, how do they
# stand, at which position. Answers {alive (1, 0, or -1 unknown), used, standing or '', position or -1}.
_GATE = redis.Script(
    _POSITION
    + """
local used = redis.call('INCR', KEYS[2])
if used == 1 then redis.call('EXPIRE', KEYS[2], ARGV[3]) end
local ended = redis.call('ZMSCORE', KEYS[1], ARGV[1], 'ready')
if ended[1] then return {0, used, '', -1} end
local alive = ended[2] and redis.call('EXISTS', KEYS[6]) == 1 and 1 or -1
local standing = redis.call('HGET', KEYS[3], ARGV[2])
if not standing then return {alive, used, '', -1} end
local place = string.match(standing, '^%d+ 1 (%d+)')
return {alive, used, standing, place and position(KEYS[4], KEYS[5], tonumber(place), tonumber(ARGV[4])) or -1}
"""
)

# ARGV: frozen, then consumer, standing and the place that it gives up (0: it waits on) in turn. Answers
# the position of the last one, or -1.
_PUSH = redis.Script(
    _POSITION
    + """
local function order(standing)
  local id, stage, place = string.match(standing, '^(%d+) (%d) (%d+)')
  return tonumber(id), tonumber(stage), tonumber(place)
end
local function is_newer(standing, known)
  local id, stage, place = order(standing)
  local kid, kstage, kplace = order(known)
  if id ~= kid then return id > kid end
  if stage ~= kstage then return stage > kstage end
  return place > kplace
end
for i = 2, #ARGV, 3 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 0
    and is_newer(ARGV[i + 1], redis.call('HGET', KEYS[1], ARGV[i])) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
  if ARGV[i + 2] ~= '0' then redis.call('SETBIT', KEYS[2], ARGV[i + 2], 1) end
end
if ARGV[#ARGV] ~= '0' then return -1 end
local _, _, place = order(ARGV[#ARGV - 1])
return position(KEYS[2], KEYS[3], place, tonumber(ARGV[1]))
"""
)


@dataclass(frozen=True)
class Gate:
    """What one trip told; None where Redis could not say."""

    is_alive: bool | None = None
    usage: Usage | None = None
    standing: Standing | None = None


def pass_gate(
    *,
    session_id: str,
    consumer_id: str,
    distribution_id: str,
    frozen: int,
    rate_key: tuple[str, str],
    limit: int,
    now: dt.datetime,
) -> Gate:
    """Session, rate and standing in one Redis trip; all None without Redis.

    `rate_key` is organization and category; `limit` requests a minute are allowed in it.
    """
    number, reset = window(now)
    keys = [
        redis.ENDED_SESSIONS,
        redis.rate(*rate_key, number),
        redis.standings(distribution_id),
        redis.gone(distribution_id),
        redis.told(distribution_id),
        redis.WATCHED,
    ]
    answer = redis.attempt("gate", lambda: _GATE(keys, [session_id, consumer_id, _COUNTER_SECONDS, frozen]))
    if answer is None:
        return Gate()
    alive, used, text, position = cast(tuple[int, int, bytes, int], answer)
    return Gate(
        is_alive=None if alive < 0 or (alive and redis.is_doubtful()) else bool(alive),
        usage=Usage(limit, used, reset),
        standing=decode(consumer_id, text, position) if text else None,
    )


def push(distribution_id: str, frozen: int, standings: Iterable[Standing]) -> int | None:
    """Write standings after their commit; the position of the last one, if it waits and is known."""
    position: object = None
    chunk: list[object] = []
    for standing in standings:
        gives_up = 0 if standing.status == Status.QUEUED else standing.place or 0
        chunk += [standing.consumer_id, encode(standing), gives_up]
        if len(chunk) >= 3 * CHUNK:
            position = _push(distribution_id, frozen, chunk)
            chunk = []
    if chunk:
        position = _push(distribution_id, frozen, chunk)
    return position if isinstance(position, int) and position > 0 else None


def _push(distribution_id: str, frozen: int, chunk: list[object]) -> object:
    keys = [redis.standings(distribution_id), redis.gone(distribution_id), redis.told(distribution_id)]
    return redis.attempt("push", lambda: _PUSH(keys, [frozen, *chunk]))


def encode(standing: Standing) -> str:
    """`id stage place status entered admitted expires ended reason`, instants in microseconds, 0 for none."""
    instants = (standing.admitted_at, standing.expires_at, standing.ended_at)
    numbers = " ".join(str(to_micros(at)) if at else "0" for at in (standing.entered_at, *instants))
    place = standing.place or 0
    return f"{standing.id} {standing.stage} {place} {standing.status} {numbers} {standing.deny_reason}"


def decode(consumer_id: str, text: bytes, position: int) -> Standing:
    """The inverse of `encode`; the fingerprint is not kept in Redis."""
    identity, _, place, status, *instants, reason = text.decode().split(" ", 8)
    entered, admitted, expires, ended = map(int, instants)
    return Standing(
        id=int(identity),
        consumer_id=consumer_id,
        status=Status(status),
        place=int(place) or None,
        entered_at=from_micros(entered),
        admitted_at=from_micros(admitted) if admitted else None,
        expires_at=from_micros(expires) if expires else None,
        ended_at=from_micros(ended) if ended else None,
        deny_reason=reason,
        position=position if position > 0 else None,
    )


def merge_gone(distribution_id: str, bitmap: bytes) -> None:
    """OR a complete bitmap (bit 0 set) into the one that is there."""
    key, fresh = redis.gone(distribution_id), redis.gone(distribution_id) + ":fresh"
    with redis.client().pipeline(transaction=True) as pipe:
        pipe.set(fresh, bitmap)
        pipe.bitop("OR", key, key, fresh)
        pipe.delete(fresh)
        pipe.execute()


_WHERE = redis.Script(_POSITION + "return position(KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2]))")
_TELL = redis.Script(
    """
local told = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or ARGV[2])
local least = math.min(told, tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], ARGV[1], least)
return least
"""
)


def position(distribution_id: str, frozen: int, place: int) -> int | None:
    """The position of a place; None when Redis can't tell."""
    keys = [redis.gone(distribution_id), redis.told(distribution_id)]
    found = redis.attempt("position", lambda: _WHERE(keys, [place, frozen]))
    return found if isinstance(found, int) and found > 0 else None


def tell(distribution_id: str, place: int, counted: int) -> int:
    """A position that PostgreSQL counted, or the better one that was told before; Redis keeps to it."""
    least = redis.attempt("tell", lambda: _TELL([redis.told(distribution_id)], [place, counted]))
    return least if isinstance(least, int) else counted


def with_position(standing: Standing, position: int | None) -> Standing:
    """The same standing, counted."""
    return replace(standing, position=position)
