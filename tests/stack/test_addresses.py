"""Finding the servers from another process, and the key that is kept beside them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from fanfare.stack import addresses, lock, secret
from fanfare.stack.addresses import Addresses

URLS = Addresses("postgresql://one", "redis://two")


def test_found_while_the_owner_lives(tmp_path: Path) -> None:
    assert addresses.find(tmp_path) is None
    with lock.owned(tmp_path):
        addresses.publish(tmp_path, URLS)
        assert addresses.find(tmp_path) == URLS
        assert (tmp_path / "servers.json").stat().st_mode & 0o777 == 0o600
    assert addresses.find(tmp_path) is None  # the file is there; nobody holds the lock


def test_not_found_when_the_owner_is_dead(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    with lock.owned(tmp_path):
        addresses.publish(tmp_path, URLS)
        held = json.loads((tmp_path / "servers.json").read_text())
        (tmp_path / "servers.json").write_text(json.dumps({**held, "pid": ended.pid}))
        assert addresses.find(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x"}', '{"pid": null}'])
def test_a_broken_file_is_no_file(tmp_path: Path, text: str) -> None:
    with lock.owned(tmp_path):
        (tmp_path / "servers.json").write_text(text)
        assert addresses.find(tmp_path) is None


def test_the_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Path(addresses.__file__).parents[2]
    monkeypatch.delenv("FANFARE_DATA_DIR", raising=False)
    assert addresses.data_dir() == repository / ".data"
    monkeypatch.setenv("FANFARE_DATA_DIR", "elsewhere")
    assert addresses.data_dir() == repository / "elsewhere"
    monkeypatch.setenv("FANFARE_DATA_DIR", "/elsewhere")
    assert addresses.data_dir() == Path("/elsewhere")


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    directory = tmp_path / "new"
    assert addresses.secret_key(directory) is None
    made = secret.keep_secret_key(directory)
    assert len(made) == 64
    assert secret.keep_secret_key(directory) == made == addresses.secret_key(directory)
    assert [os.stat(file).st_mode & 0o777 for file in directory.iterdir()] == [0o600]
