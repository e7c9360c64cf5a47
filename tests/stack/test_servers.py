"""The two servers: they answer us alone, keep their data, and stand side by side."""

import os
import signal
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from fanfare.stack import account, addresses, servers
from fanfare.stack.addresses import Addresses
from fanfare.stack.servers import started
from tests.stack.conftest import eventually


def write(found: Addresses, text: str) -> None:
    with psycopg.connect(found.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [text])
    with redis.Redis.from_url(found.redis_url) as store:
        store.rpush("kept", text)


def read(found: Addresses) -> tuple[list[str], list[str]]:
    with psycopg.connect(found.database_url) as connection:
        rows = connection.execute("SELECT text FROM kept").fetchall()
    with redis.Redis.from_url(found.redis_url, decode_responses=True) as store:
        stored: list[str] = store.lrange("kept", 0, -1)
    return [row[0] for row in rows], stored


def test_they_answer_with_the_password_only(tmp_path: Path) -> None:
    with started(tmp_path, temporary=True) as up:
        write(up.addresses, "one")
        database_url, redis_url = up.addresses.database_url, up.addresses.redis_url
        password = database_url.split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(database_url.replace(password, "wrong"))
        with pytest.raises(psycopg.OperationalError, match="no pg_hba.conf entry"):
            psycopg.connect(database_url.replace("//fanfare", "//postgres"))
        port = int(redis_url.rsplit(":", 1)[1].split("/")[0])
        with (
            pytest.raises(redis.AuthenticationError),
            redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as stranger,
        ):
            stranger.ping()
        secrets = {password, redis_url.split(":")[2].split("@")[0]}
        for child in up.children:
            shown = Path(f"/proc/{child.pid}/cmdline").read_text()
            assert not any(secret in shown for secret in secrets)
    for name in ("postgres.password", "valkey.password", "valkey/valkey.conf"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_our_role_is_no_superuser_and_may_make_test_databases(data: Path) -> None:
    with (
        servers.running(data, temporary=True) as found,
        psycopg.connect(found.database_url, autocommit=True) as connection,
    ):
        row = connection.execute(
            "SELECT current_setting('is_superuser'), current_setting('server_encoding'),"
            " current_setting('synchronous_commit')"
        ).fetchone()
        assert row == ("off", "UTF8", "on")
        connection.execute("CREATE DATABASE test_fanfare")
        connection.execute("CREATE EXTENSION btree_gist")


def test_data_survive_a_restart_and_a_killed_postgres(data: Path) -> None:
    with servers.running(data) as found:
        write(found, "one")
    with started(data) as up:
        write(up.addresses, "two")
        postgres = next(child for child in up.children if child.name == "postgres")
        os.kill(postgres.pid, signal.SIGKILL)
        assert eventually(postgres.ended)
    with servers.running(data) as found:
        assert read(found) == (["one", "two"], ["one", "two"])


def test_two_stand_side_by_side(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with (
        servers.running(ours, temporary=True) as one,
        servers.running(theirs, temporary=True) as two,
    ):
        write(one, "ours")
        write(two, "theirs")
        assert read(one) == (["ours"], ["ours"])
        assert read(two) == (["theirs"], ["theirs"])
        assert addresses.find(ours) == one
        assert addresses.find(theirs) == two


def test_servers_named_by_the_environment_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/fanfare")
    with started(tmp_path, temporary=True) as up:
        assert [child.name for child in up.children] == ["valkey"]
        assert up.addresses.database_url == "postgresql://elsewhere/fanfare"
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    with started(tmp_path, temporary=True) as up:
        assert not up.children
        assert addresses.find(tmp_path) == Addresses("postgresql://elsewhere/fanfare", "redis://elsewhere/0")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down")
def test_root_without_namespaces_steps_down_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # pytest's own directories are closed to everybody else, as a home directory would be.
    monkeypatch.setattr(account, "_SYSTEM_DIRECTORY", tmp_path / "system")
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == 0 and parent not in (Path("/"), Path("/tmp")):
            parent.chmod(parent.stat().st_mode | 0o011)
    (tmp_path / "closed").mkdir(mode=0o700)
    directory = tmp_path / "closed" / "data"
    with monkeypatch.context() as without:
        without.setattr(account, "namespaces_allowed", lambda: False)
        with started(directory, temporary=True) as up:
            write(up.addresses, "one")
            owners = {Path(f"/proc/{child.pid}").stat().st_uid for child in up.children}
            assert len(owners) == 2
    with servers.running(directory, temporary=True) as found:
        assert read(found)[0] == ["one"]
