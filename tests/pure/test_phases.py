"""PENDING, OPEN, PAUSED, CLOSED at every instant that matters, and who may enter then."""

import datetime as dt

import pytest

from distributions.core import phases
from distributions.core.models import Distribution, Kind
from distributions.core.phases import Phase
from fanfare import errors

OPEN = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
CLOSE = OPEN + dt.timedelta(hours=2)
TICK = dt.timedelta(microseconds=1)


def make(**settings: dt.datetime | None) -> Distribution:
    return Distribution(kind=Kind.QUEUE, **{"open_at": OPEN, "close_at": CLOSE, **settings})


@pytest.mark.parametrize(
    ("settings", "now", "expected"),
    [
        ({}, OPEN - TICK, Phase.PENDING),
        ({}, OPEN, Phase.OPEN),
        ({}, CLOSE - TICK, Phase.OPEN),
        ({}, CLOSE, Phase.CLOSED),
        ({"open_at": None}, OPEN - dt.timedelta(days=9), Phase.OPEN),
        ({"close_at": None}, CLOSE + dt.timedelta(days=900), Phase.OPEN),
        ({"paused_at": OPEN}, OPEN, Phase.PAUSED),
        ({"paused_at": OPEN}, OPEN - TICK, Phase.PENDING),
        ({"paused_at": OPEN}, CLOSE, Phase.CLOSED),
        ({"closed_at": OPEN}, OPEN, Phase.CLOSED),
        ({"closed_at": OPEN}, OPEN - TICK, Phase.CLOSED),
        ({"closed_at": OPEN, "paused_at": OPEN}, OPEN, Phase.CLOSED),
    ],
)
def test_phase(settings: dict[str, dt.datetime | None], now: dt.datetime, expected: Phase) -> None:
    assert phases.phase(make(**settings), now) == expected
    assert phases.is_over(make(**settings), now) == (expected == Phase.CLOSED)


@pytest.mark.parametrize(("before", "seconds"), [(90.0, 90), (0.2, 1), (89.5, 90), (0.000001, 1)])
def test_how_long_until_it_opens(before: float, seconds: int) -> None:
    with pytest.raises(errors.NotOpenYet) as refusal:
        phases.require_open(make(), now=OPEN - dt.timedelta(seconds=before))
    assert refusal.value.retry_after == seconds
    assert refusal.value.extra == {"open_at": OPEN}


def test_a_pre_queue_lets_in_earlier() -> None:
    doors = OPEN - dt.timedelta(minutes=10)
    with pytest.raises(errors.NotOpenYet) as refusal:
        phases.require_open(make(), now=doors - TICK, enter_from=doors)
    assert refusal.value.retry_after == 1
    phases.require_open(make(), now=doors, enter_from=doors)
    phases.require_open(make(), now=OPEN, enter_from=OPEN + dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("settings", "now", "code"),
    [
        ({"paused_at": OPEN}, OPEN, "QUEUE_PAUSED"),
        ({}, CLOSE, "QUEUE_CLOSED"),
        ({"paused_at": OPEN}, CLOSE, "QUEUE_CLOSED"),
        ({"closed_at": OPEN}, OPEN, "QUEUE_CLOSED"),
    ],
)
def test_closed_and_paused(settings: dict[str, dt.datetime | None], now: dt.datetime, code: str) -> None:
    with pytest.raises(errors.Closed) as refusal:
        phases.require_open(make(**settings), now=now)
    assert (refusal.value.status, refusal.value.code) == (400, code)


def test_a_paused_pre_queue_lets_nobody_in() -> None:
    doors = OPEN - dt.timedelta(minutes=10)
    with pytest.raises(errors.Closed):
        phases.require_open(make(paused_at=doors), now=doors, enter_from=doors)
