"""What every test stands on: real PostgreSQL and Redis, committed transactions, a clock that tests move.

Each worker of pytest-xdist has its own database (pytest-django) and its own Redis database number.
"""

import datetime as dt
import os
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import TransactionTestCase
from xdist.scheduler import LoadScopeScheduling

import fanfare.clock
from fanfare import memo, redis
from tests.emptying import empty_tables
from tests.world import World, make_world

START = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker a Redis database of its own, before anything connects."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    number = 1 + int(worker)
    if settings.REDIS_URL:
        settings.REDIS_URL = f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{number}"
        settings.CELERY_BROKER_URL = settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
    # Crowds are threads, each with a connection of its own for as long as it lives: more than a pool has.
    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    settings.MEMO_SECONDS = 0
    settings.BEACON_URL = "http://127.0.0.1:9"  # nobody there; no test asks the real beacon
    settings.SMS_BACKEND = "auth_otp.outbox.send_sms"
    settings.CELERY_TASK_ALWAYS_EAGER = True
    TransactionTestCase._fixture_teardown = lambda test: empty_tables()  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each test goes to whichever worker is free; those in a browser to one, where their stack is.

    (`--dist loadgroup` would be the same, but pytest-xdist 3.8 takes no notice of groups under pytest 9.2.)
    """
    scheduling = LoadScopeScheduling(config, log)
    scheduling._split_scope = lambda name: "e2e" if name.startswith("tests/e2e/") else name
    return scheduling


@pytest.fixture(autouse=True)
def _clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """An empty Redis and empty memories for tests that use the database."""
    if "transactional_db" in request.fixturenames:
        redis.reset()
        redis.client().flushdb()
    memo.forget_all()
    yield
    memo.forget_all()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """Time stands still at START until the test moves it: `clock.shift(10)`; so does PostgreSQL's clock."""
    monkeypatch.setattr(fanfare.clock, "of_database", lambda told: fanfare.clock.now())
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(transactional_db: None) -> World:
    """An organization with keys, an experience and a sequence. Transactions commit, as in real life."""
    return make_world()
