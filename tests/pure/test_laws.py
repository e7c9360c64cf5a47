"""Laws of the small pure parts, for any input: times, Redis' text form, keys, tickets, poll advice."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from distributions.core import live, polling
from distributions.core.models import LIVE, MOVES, Reason, Status
from distributions.core.standing import FINAL_STAGE, Standing
from distributions.queues import line
from experiences import keys
from experiences.models import KeyKind, KeyMode
from fanfare import clock, ids
from fanfare.limits import limit_for, window

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
instants = some.datetimes(
    min_value=dt.datetime(1970, 1, 1), max_value=dt.datetime(2200, 1, 1), timezones=some.just(dt.UTC)
)
words = some.text(alphabet=some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)


@given(instants)
def test_microseconds_there_and_back(instant: dt.datetime) -> None:
    assert clock.from_micros(clock.to_micros(instant)) == instant


@given(
    standing=some.builds(
        Standing,
        id=some.integers(1, 2**53),
        consumer_id=some.just("cons_X"),
        status=some.sampled_from(Status),
        place=some.none() | some.integers(1, 2**40),
        entered_at=instants.filter(lambda at: at > EPOCH),
        admitted_at=some.none() | instants.filter(lambda at: at > EPOCH),
        expires_at=some.none() | instants.filter(lambda at: at > EPOCH),
        ended_at=some.none() | instants.filter(lambda at: at > EPOCH),
        deny_reason=words,
        fingerprint=some.none(),
        position=some.none() | some.integers(1, 10**9),
    )
)
def test_what_redis_keeps_comes_back(standing: Standing) -> None:
    text = live.encode(standing).encode()
    assert live.decode("cons_X", text, standing.position or -1) == standing


@given(admitted=instants, lasts=some.integers(1, 100_000), after=some.integers(-1000, 1000))
def test_an_admission_is_over_from_its_instant_on(admitted: dt.datetime, lasts: int, after: int) -> None:
    ends = admitted + dt.timedelta(seconds=lasts)
    standing = Standing(1, "c", Status.ADMITTED, 1, admitted, admitted, ends)
    found = standing.at(ends + dt.timedelta(microseconds=after))
    assert (found.status == Status.DENIED) == (after >= 0) == (found.deny_reason == Reason.ADMISSION_EXPIRED)
    assert found.may_enter_again == (after >= 0)


def test_the_table_of_moves() -> None:
    assert {to: set(sources) for to, sources in MOVES.items()} == {
        Status.ADMITTED: {Status.QUEUED},
        Status.COMPLETED: {Status.ADMITTED},
        Status.DENIED: {Status.QUEUED, Status.ADMITTED},
        Status.LEFT: {Status.QUEUED, Status.ADMITTED},
    }
    for status in Status:
        stage = Standing(1, "c", status, 1, EPOCH).stage
        assert (stage == FINAL_STAGE) == (status not in LIVE)


@given(position=some.integers(1, 10**7), wait=some.none() | some.integers(0, 10**7))
def test_poll_advice_is_bounded(position: int, wait: int | None) -> None:
    assert polling.NEAR <= line.poll_after(position, wait) <= polling.FAR


def test_poll_advice_near_and_far() -> None:
    assert {line.poll_after(1, None) for _ in range(50)} <= {2}
    assert {line.poll_after(1_000_000, None) for _ in range(50)} == {30}
    assert len({line.poll_after(500, None) for _ in range(200)}) > 1  # some jitter


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("mode", KeyMode)
def test_keys_are_wellformed(kind: KeyKind, mode: KeyMode) -> None:
    text = keys.make_text(kind, mode)
    assert keys.is_wellformed(text)
    assert text.startswith({"publishable": "pk", "secret": "sk"}[kind] + f"_{mode}_")
    assert len({keys.make_text(kind, mode) for _ in range(100)}) == 100
    for position in range(8, len(text)):  # one letter mistyped
        other = "A" if text[position] != "A" else "B"
        assert not keys.is_wellformed(text[:position] + other + text[position + 1 :])
    assert not keys.is_wellformed(text + "\n")


@given(words)
def test_no_stray_text_is_a_key_or_an_id(text: str) -> None:
    assert not keys.is_wellformed(text)
    for prefix in ids.PREFIXES:
        assert not ids.is_id(text, prefix)
        assert not ids.is_id(f"{prefix}_{text}", prefix)


@pytest.mark.parametrize("prefix", sorted(ids.PREFIXES))
def test_ids(prefix: str) -> None:
    made = ids.new(prefix)
    assert ids.is_id(made, prefix)
    for bad in (
        made.lower(),
        made + "\n",
        made[:-1],
        made + "0",
        f" {made}",
        made.replace("_", "-"),
        None,
        7,
    ):
        assert not ids.is_id(bad, prefix)
    other = "org" if prefix != "org" else "key"
    assert not ids.is_id(made, other)
    assert not ids.is_id(f"{prefix}_8{made[-25:]}", prefix)  # over 128 bits


@given(instants)
def test_windows_are_minutes(now: dt.datetime) -> None:
    number, reset = window(now)
    assert 0 < reset - now.timestamp() <= 60
    assert window(now + dt.timedelta(seconds=60))[0] == number + 1


def test_limits() -> None:
    assert limit_for("queueEntry", {}) == 1000
    assert limit_for("queueEntry", {"queueEntry": 7}) == 7
    assert limit_for("queueEntry", {"statusCheck": 7}) == 1000
