"""The stand-alone files, ready to be run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.verifier.makers import Stranger, Verify
from tests.verifier.servers import Server, running


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verify:
    return Verify("verify_draw.py", tmp_path, monkeypatch, capsys)


@pytest.fixture
def checker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stranger:
    return Stranger("check_receipt.py", tmp_path, monkeypatch, capsys)


@pytest.fixture
def server() -> Iterator[Server]:
    yield from running()


@pytest.fixture
def other_server() -> Iterator[Server]:
    yield from running()
