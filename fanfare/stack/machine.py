"""All of Fanfare on one machine: what `make run` does. `python -m fanfare.stack.machine`.

Servers, migrations, first run, then web, worker and beat, until Ctrl-C. This process imports no
Django and never touches the database; everything that does is a child on its leash.
"""

import http.client
import os
import resource
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from fanfare.stack import addresses, ports, secret, servers
from fanfare.stack.children import Program, start
from fanfare.stack.errors import StackError
from fanfare.stack.output import line, say
from fanfare.stack.servers import Servers
from fanfare.stack.supervisor import Interrupts, Stop, Supervisor, interrupts
from fanfare.stack.terminal import foreground

_REPOSITORY = Path(__file__).resolve().parents[2]
_READY_SECONDS = 120.0
_OPEN_FILES = 65_536
# Granian keeps one of these per connection, idle ones included: thousands of polling browsers.
_BACKLOG = 4096
_CONNECTIONS_PER_WORKER = 2048
# Celery's six lines about root at each start; in a container root is the rule.
_ROOT_WARNING = "ignore:You're running the worker with superuser privileges"

Environment = Mapping[str, str]


def main() -> int:
    """Run until stopped. 0 after a clean stop, 1 after an expected failure, which it explains."""
    began = time.monotonic()
    with foreground(), interrupts() as signals:
        try:
            _run(signals, began)
        except Stop:
            say("Stopped.")
        except StackError as problem:
            say(f"\n{problem}")
            return 1
    return 0


def _run(signals: Interrupts, began: float) -> None:
    port = _port()
    directory = addresses.data_dir()
    _allow_many_connections()
    with servers.started(directory, sink=line) as up:
        signals.hurry = up.leash.hurry
        supervisor = Supervisor(up.children, up.leash, line)
        try:
            environment = _environment(up, directory, port)
            addresses.publish_port(directory, port)
            _manage(up, environment, "migrate", "--no-input", "--verbosity", "0")
            welcome = _manage(up, environment, "first_run")
            supervisor.start(_programs(environment, directory.resolve(), port))
            supervisor.wait_until(lambda: _healthy(port), _READY_SECONDS)
            say(f"\n{welcome}\nready in {time.monotonic() - began:.1f} s\n")
            supervisor.watch()
        except Stop:
            say("\nStopping (Ctrl-C again: at once) …")
            raise
        finally:
            signals.armed = False
            supervisor.stop()


def _port() -> int:
    """FANFARE_PORT, which must be free. Raises StackError."""
    port = _number("FANFARE_PORT", 8000)
    if not ports.is_free(port):
        raise StackError(
            f"Port {port} is taken by another program. Stop it, or choose another port: "
            f"FANFARE_PORT={port + 1} make run"
        )
    return port


def _number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise StackError(f"{name} must be a whole number from 1 to 65535, not {text!r}.")
    return int(text)


def _environment(up: Servers, directory: Path, port: int) -> Environment:
    return {
        **os.environ,
        "DATABASE_URL": up.addresses.database_url,
        "REDIS_URL": up.addresses.redis_url,
        "FANFARE_SECRET_KEY": os.environ.get("FANFARE_SECRET_KEY") or secret.keep_secret_key(directory),
        "FANFARE_PORT": str(port),
        "FANFARE_DATA_DIR": str(directory.resolve()),
        "PROMETHEUS_MULTIPROC_DIR": str(_fresh_metrics(directory.resolve())),
        "PYTHONUNBUFFERED": "1",
    }


def _fresh_metrics(directory: Path) -> Path:
    """Where the processes count together; what ended processes counted is gone with them."""
    metrics = directory / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    return metrics


def _manage(up: Servers, environment: Environment, *words: str) -> str:
    """Run a management command and return what it printed. Raises StackError if it fails."""
    command = [sys.executable, "manage.py", *words]
    program = Program("setup", command, _unhurried(environment), _REPOSITORY)
    printed: list[str] = []
    child = start(program, up.leash, lambda _, text: printed.append(text))
    child.process.wait()
    child.stop()
    said = "\n".join(printed)
    if child.process.returncode:
        raise StackError(f"{said}\n\nmanage.py {words[0]} failed: see above.")
    return said


def _unhurried(environment: Environment) -> Environment:
    """For what is no web request: statements may take long, and no pool crosses a fork."""
    defaults = {"FANFARE_STATEMENT_TIMEOUT_MS": "0", "PYTHONWARNINGS": _ROOT_WARNING}
    return {**defaults, **environment, "FANFARE_DB_POOL": "0"}


def _programs(environment: Environment, directory: Path, port: int) -> list[Program]:
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--quiet", "--app", "fanfare.celery"]
    unhurried = _unhurried(environment)
    worker = ["worker", "--concurrency", "2", "--loglevel", "WARNING"]
    schedule = ["--schedule", str(directory / "beat-schedule"), "--pidfile", ""]
    beat = ["beat", "--loglevel", "WARNING", *schedule]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        Program("web", [*python, *web(port)], environment, _REPOSITORY),
        Program("beat", [*celery, *beat], unhurried, _REPOSITORY),
        Program("worker", [*celery, *worker, *alone], unhurried, _REPOSITORY),
    ]


def web(port: int) -> list[str]:
    """The web server's module and options.

    Two threads a process: more spend their time waiting for one another (measured: a third fewer
    requests a second with eight).
    """
    options = {
        "--interface": "wsgi",
        "--host": ports.LOOPBACK,
        "--port": port,
        "--workers": _number("FANFARE_WEB_WORKERS", 2),
        "--blocking-threads": _number("FANFARE_WEB_THREADS", 2),
        "--backlog": _BACKLOG,
        "--backpressure": _CONNECTIONS_PER_WORKER,
        "--respawn-interval": 1,
        "--workers-kill-timeout": 8,
        "--log-level": "warning",
    }
    words = [str(word) for option in options.items() for word in option]
    return ["granian", *words, "--respawn-failed-workers", "fanfare.wsgi:application"]


def _healthy(port: int) -> bool:
    wire = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=2.0)
    try:
        wire.request("GET", "/healthz")
        return wire.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        wire.close()


def _allow_many_connections() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


if __name__ == "__main__":
    sys.exit(main())
