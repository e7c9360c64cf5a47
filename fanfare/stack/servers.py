"""PostgreSQL and Valkey together: up while the context lasts, then stopped cleanly.

A server whose URL the environment names (`DATABASE_URL`, `REDIS_URL`) is used as it is and
nothing is embedded in its stead. The processes beside the servers are `machine`'s business.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fanfare.stack import addresses, binaries, lock, postgres, valkey
from fanfare.stack.addresses import Addresses
from fanfare.stack.children import Child, Sink, quiet
from fanfare.stack.errors import StackError
from fanfare.stack.leash import Leash


@dataclass(frozen=True)
class Servers:
    """`children` are those embedded here: none, one, or both."""

    addresses: Addresses
    children: tuple[Child, ...]
    leash: Leash


@contextmanager
def running(directory: Path, *, temporary: bool = False, sink: Sink = quiet) -> Iterator[Addresses]:
    """The servers of this data directory. Raises StackError (see `errors`).

    `temporary`: no flushing to disk, for data that need not survive the machine.
    """
    with started(directory, temporary=temporary, sink=sink) as servers:
        yield servers.addresses


@contextmanager
def started(directory: Path, *, temporary: bool = False, sink: Sink = quiet) -> Iterator[Servers]:
    """As `running`, with the leash and the children, for a supervisor of more than these two."""
    directory = directory.resolve()
    # Passable but not listable, so that PostgreSQL may run as another user than ourselves.
    try:
        directory.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as problem:
        raise StackError(f"FANFARE_DATA_DIR: {directory} can't be a directory: {problem.strerror}.") from None
    with ExitStack() as stack:
        leash = Leash(stack.enter_context(lock.owned(directory)))
        stack.callback(leash.close)
        servers = _start(directory, leash, sink, stack, temporary=temporary)
        addresses.publish(directory, servers.addresses)
        stack.callback(addresses.withdraw, directory)
        yield servers


def _start(directory: Path, leash: Leash, sink: Sink, stack: ExitStack, *, temporary: bool) -> Servers:
    database_url = os.environ.get("DATABASE_URL", "")
    redis_url = os.environ.get("REDIS_URL", "")
    children: list[Child] = []
    if not redis_url or not database_url:
        programs = binaries.find()
    attempt = None
    if not redis_url:
        attempt = valkey.begin(directory, programs, leash, sink, temporary=temporary)
        stack.callback(attempt.child.stop)
    if not database_url:
        cluster = postgres.prepare(directory, programs, temporary=temporary)
        child, database_url = postgres.serve(cluster, leash, sink)
        stack.callback(child.stop)
        children.append(child)
    if attempt is not None:
        child, redis_url = valkey.finish(directory, programs, leash, sink, first=attempt, temporary=temporary)
        stack.callback(child.stop)
        children.append(child)
    return Servers(Addresses(database_url, redis_url), tuple(children), leash)
