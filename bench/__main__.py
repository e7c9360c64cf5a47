"""`python -m bench`: servers of its own that write durably, then the rows, then a table.

`python -m bench console` measures the console's pages instead.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fanfare.stack import secret, servers


def main() -> int:
    """Run the rows in a process that has the servers' addresses; its exit code."""
    with tempfile.TemporaryDirectory(prefix="fanfare-bench-") as name, servers.running(Path(name)) as found:
        environment = os.environ | {
            "DATABASE_URL": found.database_url,
            "REDIS_URL": found.redis_url,
            "FANFARE_DATA_DIR": name,
            "FANFARE_SECRET_KEY": secret.keep_secret_key(Path(name)),
            "FANFARE_STATEMENT_TIMEOUT_MS": "0",
            "FANFARE_LOG_LEVEL": "WARNING",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, check=True)
        is_console = sys.argv[1:2] == ["console"]
        module, options = ("bench.console", sys.argv[2:]) if is_console else ("bench.rows", sys.argv[1:])
        return subprocess.run([sys.executable, "-m", module, *options], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
