"""The audit for tests: run as its command, and what it found."""

import io
import json
import tempfile
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command
from django.db import connection

from distributions.core.models import Distribution


def audited(*distributions: Distribution, fails: bool = False) -> list[dict[str, Any]]:
    """The command's report of each; it fails or not, as said."""
    out, failed = io.StringIO(), False
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "report.json"
        try:
            call_command("audit", *(one.pk for one in distributions), json=path, stdout=out)
        except CommandError as problem:
            assert "promise was broken" in str(problem)
            failed = True
        report = json.loads(path.read_text())
    assert failed == fails == (not report["kept"]), out.getvalue()
    found: list[dict[str, Any]] = report["distributions"]
    return found


def broken(distribution: Distribution) -> dict[str, list[dict[str, Any]]]:
    """The promises that the audit says were broken, and how; there is at least one."""
    (found,) = audited(distribution, fails=True)
    return {one["name"]: one["examples"] for one in found["promises"] if not one["kept"]}


def weighed(distribution: Distribution) -> dict[str, int]:
    """How many cases of each promise were looked at; all were kept."""
    (found,) = audited(distribution)
    return {one["name"]: one["weighed"] for one in found["promises"] if "skipped" not in one}


def by_hand(sql: str, *values: Any) -> None:
    """Change the database past the product; the trace, too, which refuses it otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE experiences_event DISABLE TRIGGER append_only")
        try:
            cursor.execute(sql, values)
            assert cursor.rowcount > 0, "nothing was broken"
        finally:
            cursor.execute("ALTER TABLE experiences_event ENABLE TRIGGER append_only")
