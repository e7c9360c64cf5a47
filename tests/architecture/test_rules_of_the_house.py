"""What no linter checks: who writes a status, who asks the time, how long things are."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery.local import PromiseProxy
from django.core.management import call_command

from auth_otp import tasks
from fanfare.celery import app

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ["fanfare", "experiences", "consumers", "distributions"]
FUNCTION_LINES, FILE_LINES = 45, 350
# Settings are a list, not logic.
LONG_FILES = {"fanfare/settings.py"}
WRITES_A_STATUS = {"distributions/core/statements.py", "distributions/core/doors.py"}


def sources() -> Iterator[tuple[str, str]]:
    """Path and text of every module that runs; migrations aside."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_text()


def found(pattern: str, flags: int = 0) -> dict[str, list[str]]:
    """Where code (comments aside) matches, by file."""
    hits: dict[str, list[str]] = {}
    for name, text in sources():
        code = "\n".join(line.partition("  # ")[0] for line in text.splitlines())
        if matches := [match[0] for match in re.finditer(pattern, code, flags)]:
            hits[name] = matches
    return hits


def test_the_search_finds_something() -> None:
    """A control: were the search broken, all the rules below would hold."""
    assert found(r"def enter\(")
    assert (
        set(found(r"SET\s+status = %|'QUEUED', entered|status=Status\.DENIED,\s+entered_at"))
        == WRITES_A_STATUS
    )


def test_only_two_modules_write_a_status() -> None:
    """`statements` moves, `doors` turns away; no other create, update or SQL touches a participation."""
    writes = (
        r"Participation\.objects\.(bulk_)?(create|update_or_create|get_or_create|bulk_update)\("
        r"|(INSERT INTO|DELETE FROM) distributions_participation"
        r"|UPDATE distributions_participation[\s\S]{0,40}SET\s+status"
        r"|\.update\([^)]*\bstatus="
        r"|^ +\w+(?<!self)\.status = "
    )
    assert set(found(writes, re.MULTILINE)) == WRITES_A_STATUS


def test_only_the_clock_knows_the_time() -> None:
    asks = (
        r"auto_now|datetime\.now\(|utcnow\(|timezone\.now|\btime\.time\(|date\.today\("
        r"|\bNOW\(\)|CURRENT_TIMESTAMP|\bNow\(\)"
    )
    assert set(found(asks)) == {"fanfare/clock.py"}
    assert not found(r"redis\.call\('TIME'")


def test_domain_functions_are_told_the_time() -> None:
    """Only faces, and what works for no request, call the clock."""
    allowed = re.compile(
        r"(api|account|gate|admin|_admin|_forms|tasks|authentication|health|memo|signing|keys|models|pages|console|buttons|clock)\.py"
        r"|management/commands/|distributions/pages/|distributions/crowd/|distributions/blueprint/|fanfare/(lists|forms|staff|demo)"
    )
    assert [name for name in found(r"\bclock\.now\(\)") if not allowed.search(name)] == []


def test_locks_are_weak() -> None:
    """A strong row lock would stop every foreign key that points there."""
    strong = [
        (name, hit)
        for name, hits in found(r"select_for_update\([^)]*\)").items()
        for hit in hits
        if "no_key=True" not in hit
    ]
    assert strong == []


def functions() -> Iterator[tuple[str, str, int]]:
    for name, text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, node.name, (node.end_lineno or 0) - node.lineno + 1


def test_functions_and_files_are_short() -> None:
    long_functions = [(name, of, lines) for name, of, lines in functions() if lines > FUNCTION_LINES]
    long_files = [(name, text.count("\n")) for name, text in sources() if text.count("\n") > FILE_LINES]
    assert long_functions == []
    assert [(name, lines) for name, lines in long_files if name not in LONG_FILES] == []


def test_tasks_are_whole_when_they_are_imported() -> None:
    """Celery would else make them at their first use, and two threads at once find one half made."""
    assert app.finalized
    assert not isinstance(tasks.send_code, PromiseProxy)


def test_no_import_inside_a_function() -> None:
    """It would hide that a module is on the wrong floor."""
    hidden = [
        (name, node.name)
        for name, text in sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node))
    ]
    assert hidden == []


def test_every_module_says_what_lives_in_it() -> None:
    silent = [name for name, text in sources() if text.strip() and not ast.get_docstring(ast.parse(text))]
    assert silent == []


def test_modules_import_downward() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
