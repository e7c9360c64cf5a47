"""Owners of a data directory: one at a time, and nothing of theirs outlives them."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from fanfare.stack import addresses, servers
from fanfare.stack.errors import InUse
from fanfare.stack.processes import alive, command_of
from tests.stack.conftest import StartOwner, eventually


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    direct = [child for child, parent in pairs if parent == pid]
    return direct + [deeper for child in direct for deeper in children_of(child)]


def postmaster(directory: Path) -> int:
    pid_file = directory / "postgres" / "cluster" / "postmaster.pid"
    return int(pid_file.read_text().splitlines()[0])


def test_a_killed_owner_leaves_nothing_behind(data: Path, start_owner: StartOwner) -> None:
    owner = start_owner(data)
    family = children_of(owner.pid)
    assert len(family) > 5  # watcher, valkey, postgres and its children
    assert addresses.find(data) is not None
    owner.kill()
    assert eventually(lambda: addresses.find(data) is None, 1.0)
    assert eventually(lambda: not any(map(alive, family)))


def test_the_next_owner_need_not_wait_for_that(data: Path, start_owner: StartOwner) -> None:
    start_owner(data).kill()
    with servers.running(data, temporary=True) as found:
        assert addresses.find(data) == found


def test_a_second_owner_is_refused(data: Path, start_owner: StartOwner) -> None:
    owner = start_owner(data)
    before = addresses.find(data)
    with (
        pytest.raises(InUse, match=f"process {owner.pid}"),
        servers.running(data, temporary=True),
    ):
        pass
    assert addresses.find(data) == before


def test_an_asked_owner_stops_cleanly(data: Path, start_owner: StartOwner) -> None:
    owner = start_owner(data)
    family = children_of(owner.pid)
    owner.send_signal(signal.SIGINT)
    owner.wait(10)
    assert not any(map(alive, family))
    assert not (data / "servers.json").exists()
    assert not (data / "postgres" / "cluster" / "postmaster.pid").exists()


def test_servers_without_owner_and_watcher_are_replaced(data: Path, start_owner: StartOwner) -> None:
    owner = start_owner(data)
    left = children_of(owner.pid)
    watcher = next(pid for pid in left if "fanfare.stack.watcher" in command_of(pid))
    left.remove(watcher)
    os.kill(watcher, signal.SIGKILL)
    owner.kill()
    owner.wait()
    assert all(map(alive, left))
    with servers.running(data, temporary=True):
        assert not any(map(alive, left))


def test_a_stale_pid_file_whose_number_is_anothers_now(data: Path) -> None:
    with servers.running(data, temporary=True):
        pid_file = data / "postgres" / "cluster" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        with servers.running(data, temporary=True):
            assert postmaster(data) != stranger.pid
            assert alive(stranger.pid)
        stranger.kill()
