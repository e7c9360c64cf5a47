"""A crowd in one process on a busy machine may be slow, and that is not what is tested here."""

import pytest

from fanfare import redis


@pytest.fixture(autouse=True)
def _patient_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "TIMEOUT_SECONDS", 20.0)
