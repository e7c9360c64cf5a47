"""PostgreSQL as a foreground child of ours: made, started, and known to be ours.

Loopback TCP on a port found at each start (the path of a unix socket may be too long); the
application's role owns its database but is no superuser. Not a production server: no TLS.
"""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fanfare.stack import account as accounts
from fanfare.stack import ports, processes, secret
from fanfare.stack.account import Account
from fanfare.stack.binaries import Binaries, copy_postgres
from fanfare.stack.children import Child, Program, Sink, start, wait_for
from fanfare.stack.errors import NotStarted
from fanfare.stack.leash import Leash

_ROLE = "fanfare"
_START_SECONDS = 120.0  # recovery after a crash replays up to max_wal_size
_RETRY_SECONDS = 20.0

_SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
    # One machine, no replica: less to write for each change.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    # Our statements are short: compiling one costs more than it saves.
    "jit": "off",
    "random_page_cost": "1.1",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "cluster_name": "fanfare",
}
# Data that nobody will want after a power cut. Commits still wait for the (unsynced) log.
# And room for crowds of threads, a connection each.
_TEMPORARY = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "5s",
    "max_connections": "500",
}


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL data directory and all that is needed to start a server on it."""

    data: Path
    password: str
    binaries: Binaries
    account: Account
    temporary: bool


def prepare(directory: Path, binaries: Binaries, *, temporary: bool) -> Cluster:
    """The cluster of this data directory, made the first time. Raises NotStarted."""
    account = accounts.choose()
    place = accounts.place(directory, account)
    if not account.can("-x", binaries.initdb):
        binaries = copy_postgres(binaries, place / "programs")
    password = secret.keep(directory / "postgres.password")
    cluster = Cluster(place / "cluster", password, binaries, account, temporary)
    if not cluster.data.exists():
        _create(cluster)
    accounts.give(cluster.data, account)
    return cluster


def serve(cluster: Cluster, leash: Leash, sink: Sink) -> tuple[Child, str]:
    """Start the server and return it with its URL once it answers. Raises NotStarted.

    Tries again with another port if ours was taken meanwhile, and while processes of a
    killed server still hold its shared memory.
    """
    deadline = time.monotonic() + _RETRY_SECONDS
    while True:
        _disarm_stale_pid(cluster.data)
        port = ports.free()
        child = start(_program(cluster, port), leash, sink)
        if wait_for(partial(_answers, cluster.data, child.pid, port), child, _START_SECONDS):
            url = f"postgresql://{_ROLE}:{cluster.password}@{ports.LOOPBACK}:{port}/{_ROLE}"
            return child, url
        child.stop()
        if not _worth_retrying(child) or time.monotonic() > deadline:
            raise NotStarted(f"PostgreSQL did not start in {cluster.data}:\n{child.last_words()}")
        time.sleep(0.1)


def _program(cluster: Cluster, port: int) -> Program:
    settings = _SETTINGS | (_TEMPORARY if cluster.temporary else {}) | {"port": str(port)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        "postgres",
        [*cluster.account.prefix, cluster.binaries.postgres, "-D", cluster.data, *options],
        directory=cluster.data,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, then stops cleanly
        grace_seconds=30.0,
        uid=cluster.account.uid,
        gid=cluster.account.gid,
    )


def _create(cluster: Cluster) -> None:
    # Made beside its final place and then moved: a killed first start leaves nothing half made.
    # A draft of our own: the initdb of a killed start may still be writing to its.
    for left in cluster.data.parent.glob("draft.*"):
        shutil.rmtree(left, ignore_errors=True)
    draft = cluster.data.with_name(f"draft.{os.getpid()}")
    accounts.give(cluster.data.parent, cluster.account)
    options = ["--no-sync"] if cluster.temporary else []
    _run(
        cluster,
        str(cluster.binaries.initdb),
        f"--pgdata={draft}",
        *("--username=postgres", "--encoding=UTF8", "--locale=C", "--no-instructions"),
        *("--auth-local=reject", "--auth-host=reject"),
        *options,
    )
    # Nobody but our role, and the superuser, without a password, not at all.
    (draft / "pg_hba.conf").write_text(f"host all {_ROLE} {ports.LOOPBACK}/32 scram-sha-256\n")
    sql = (
        f"CREATE ROLE {_ROLE} LOGIN CREATEDB PASSWORD '{cluster.password}';\n\n"
        f"CREATE DATABASE {_ROLE} OWNER {_ROLE};\n\n"
    )
    # Single-user mode (-j: a blank line ends a command): the role exists before any port is open.
    postgres = str(cluster.binaries.postgres)
    quick = ["-c", "fsync=off"] if cluster.temporary else []
    _run(cluster, postgres, "--single", "-j", *quick, "-D", str(draft), "postgres", words=sql)
    draft.rename(cluster.data)


def _run(cluster: Cluster, *command: str, words: str = "") -> None:
    account = cluster.account
    ran = subprocess.run(
        [*account.prefix, *command],
        input=words.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=cluster.data.parent,
        user=account.uid,
        group=account.gid,
        extra_groups=None if account.uid is None else [],
        check=False,
    )
    # Single-user mode ends with 0 after a failed statement.
    if ran.returncode or b"ERROR:" in ran.stdout:
        said = ran.stdout.decode(errors="replace").replace(cluster.password, "…")
        raise NotStarted(f"PostgreSQL could not make {cluster.data}:\n{said}")


def _answers(data: Path, pid: int, port: int) -> bool:
    """Whether the server that is ready on `port` is our child, going by what itself wrote.

    It listens nowhere else, and does not start when it cannot listen.
    """
    lines = _pid_file(data)
    return len(lines) > 7 and lines[0] == str(pid) and lines[3] == str(port) and lines[7] == "ready"


def _pid_file(data: Path) -> list[str]:
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except OSError:
        return []


def _disarm_stale_pid(data: Path) -> None:
    """Deal with `postmaster.pid` of a killed run. We own the directory, so none is in use.

    A server that outlived its owner and its watcher is stopped. A number that is another
    process's by now would keep PostgreSQL from starting; ours does not, since it takes its
    parent for its starter, and unlike after a deletion it still looks for the shared memory
    of forgotten backends.
    """
    lines = _pid_file(data)
    if not lines or not lines[0].isdigit():
        return
    if _is_postgres_of(int(lines[0]), data):
        processes.end(int(lines[0]), signal.SIGINT, signal.SIGQUIT)
    elif processes.alive(int(lines[0])):
        lines[0] = str(os.getpid())
        (data / "postmaster.pid").write_text("\n".join(lines) + "\n")


def _is_postgres_of(pid: int, data: Path) -> bool:
    return f"-D {data} " in processes.command_of(pid) and pid != os.getpid()


def _worth_retrying(child: Child) -> bool:
    said = child.last_words()
    return any(
        reason in said
        for reason in ("Address already in use", "still in use", "could not bind", "is starting up")
    )
