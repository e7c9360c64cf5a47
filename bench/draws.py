"""The draw's row: 1,000 winners from a million entries, frozen and drawn in a process like the worker's.

`python -m bench.draws DRAW` is that process: it prints the seconds that both took and its peak memory.
"""

import json
import os
import subprocess
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402

from bench import data  # noqa: E402
from bench.table import Row, time_row  # noqa: E402
from distributions import tasks  # noqa: E402
from distributions.core.models import Distribution, Drawing, FrozenList, Tally  # noqa: E402
from distributions.draws import results, rules  # noqa: E402
from distributions.draws.models import Draw  # noqa: E402
from fanfare import clock  # noqa: E402

WINNERS = 1000
# The yardstick: a count, and a SHA-256 over the same rows in the same order.
COUNT_AND_HASH = """
    SELECT count(*), sha256(convert_to(string_agg(p::text, E'\\n' ORDER BY place), 'UTF8'))
    FROM distributions_participation AS p WHERE distribution_id = %s AND status = 'QUEUED'
"""


def row(shop: data.Shop, entries: int, rounds: int) -> Row:
    """Rounds of both in turn, on one draw that is put back each time."""
    draw = data.make_draw(shop, "draw", entries, WINNERS)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE distributions_participation")
    times, memory = [], 0.0
    for _ in range(rounds):
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(COUNT_AND_HASH, [draw.pk])
        yardstick = time.perf_counter() - began
        told = subprocess.run(
            [sys.executable, "-m", "bench.draws", draw.pk], capture_output=True, text=True, check=True
        )
        found = json.loads(told.stdout)
        times.append((found["seconds"], yardstick))
        memory = max(memory, found["megabytes"])
        _put_back(draw)
    name = f"drawing {WINNERS:,} winners from {entries:,} entries ({memory:.0f} MB at most)"
    return time_row(name, "a count and a SHA-256 over the same rows", times, 3)


@transaction.atomic
def _put_back(draw: Distribution) -> None:
    """As it was before it was frozen; the bench alone may do that."""
    FrozenList.objects.filter(pk=draw.pk).delete()
    Drawing.objects.filter(pk=draw.pk).update(frozen_at=None, root="", key="", drawn_at=None)
    Draw.objects.filter(pk=draw.pk).update(offered=0, passed_over=[])
    taken = draw.tally.taken
    Tally.objects.filter(pk=draw.pk).update(frozen=None, is_closed=False, taken=taken, admitted=0)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE distributions_participation SET status = 'QUEUED', admitted_at = NULL, expires_at = NULL
            WHERE distribution_id = %s AND status = 'ADMITTED'
            """,
            [draw.pk],
        )


def main(distribution_id: str) -> None:
    """Freeze and draw, as the worker's two tasks do."""
    assert tasks.run_draw  # all that a worker holds in memory is loaded
    began, now = time.perf_counter(), clock.now()
    rules.freeze(distribution_id, now=now, actor="system:bench")
    won = results.run(distribution_id, now=now, actor="system:bench")
    seconds = time.perf_counter() - began
    assert won == WINNERS, won
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({"seconds": seconds, "megabytes": peak / 1024}))


if __name__ == "__main__":
    main(sys.argv[1])
