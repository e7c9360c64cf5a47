"""The rows of the speed table that exist so far, a function each, and the table they make.

HTTP rows are measured in rounds, each round every address in turn, so that a drift of the machine's
speed hits row and yardstick alike; the ratio is taken round by round and its median told.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402

from bench import data, load  # noqa: E402
from consumers import sessions  # noqa: E402
from distributions.core import lifecycle, statements  # noqa: E402
from distributions.core.models import Distribution, Participation  # noqa: E402
from distributions.queues import line  # noqa: E402
from fanfare import clock, redis  # noqa: E402

BATCH = 10_000


@dataclass(frozen=True)
class Row:
    """One line of the table; the ratios are one a round. `goal` is read with `at_least`."""

    name: str
    yardstick: str
    figures: list[str]
    ratios: list[float]
    goal: float
    at_least: bool

    def __str__(self) -> str:
        ratio = statistics.median(self.ratios)
        reached = ratio >= self.goal if self.at_least else ratio <= self.goal
        sign = "≥" if self.at_least else "≤"
        spread = f"{min(self.ratios):.2f}–{max(self.ratios):.2f}"
        verdict = "reached" if reached else "MISSED"
        return (
            f"| {self.name} | {self.figures[0]} | {self.yardstick} | {self.figures[1]} "
            f"| {ratio:.2f} ({spread}) | {sign} {self.goal} | {verdict} |"
        )


def main() -> None:
    """Make the data, measure, print the table."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of load for each figure")
    parser.add_argument("--million", type=int, default=1_000_000, help="people in the long line")
    options = parser.parse_args()
    shop = data.make_shop()
    data.make_consumers(shop, options.million + 200_000)
    lines = {
        size: data.make_queue(shop, f"line-{size}", size) for size in (0, 1000, 100_000, options.million)
    }
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    sessions.rebuild_ended(now=clock.now())
    redis.client().set(redis.WATCHED, 1)  # no worker runs here, and nothing is missed
    rebuilt = _rebuild_row(lines, options.million)
    rows = [
        *_http_rows(shop, lines, options),
        rebuilt,
        _admission_row(lines[options.million], options.rounds),
    ]
    print("| work | figure | yardstick | figure | ratio, median (spread) | goal | |")
    print("|---|---|---|---|---|---|---|")
    print(*rows, sep="\n")


def _http_rows(shop: data.Shop, lines: dict[int, Distribution], options: argparse.Namespace) -> list[Row]:
    million = options.million
    headers = {"X-Publishable-Key": shop.publishable, "X-Fingerprint": "fp_0123456789"}
    with tempfile.TemporaryDirectory() as name, load.web_server() as base:

        def tokens(label: str, first: int, last: int, at_most: int) -> Path:
            path = Path(name) / label
            path.write_text("\n".join(data.tokens(shop, first, last, at_most)))
            return path

        def measure(path: str, tokens: Path | None = None, method: str = "GET") -> load.Figures:
            url = f"{base}/api/v1{path}"
            return load.run(url, options.seconds, method=method, headers=headers, tokens=tokens)

        waiting = {size: tokens(str(size), 1, size, 5000) for size in (1000, 100_000, million)}
        newcomers = tokens("new", million + 1, million + 200_000, 60_000)
        seen: dict[str, list[load.Figures]] = {}
        for turn in range(options.rounds + 1):
            figures = {"empty": measure("/empty")}
            for size, path in waiting.items():
                figures[str(size)] = measure(f"/queues/{lines[size].pk}/status", path)
            figures["entry"] = measure(f"/queues/{lines[0].pk}/enter", newcomers, "POST")
            if turn:  # the first round only warms up
                for label, found in figures.items():
                    seen.setdefault(label, []).append(found)
    entered = Participation.objects.filter(distribution=lines[0]).count()
    print(f"{entered} entries are in PostgreSQL.")
    empty = "an empty DRF view"
    return [
        _rate_row("queue status, 100,000 waiting", empty, seen["100000"], seen["empty"], 0.55),
        _rate_row("durable queue entry", empty, seen["entry"], seen["empty"], 0.17),
        _rate_row(
            f"status, {million:,} waiting", "with 1,000 waiting", seen[str(million)], seen["1000"], 0.90
        ),
    ]


def _rate_row(
    name: str, yardstick: str, row: list[load.Figures], other: list[load.Figures], goal: float
) -> Row:
    ratios = [a.rate / b.rate for a, b in zip(row, other, strict=True)]
    figures = [f"{statistics.median(f.rate for f in found):,.0f}/s" for found in (row, other)]
    return Row(name, yardstick, figures, ratios, goal, True)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _rebuild_row(lines: dict[int, Distribution], million: int) -> Row:
    """Also fills Redis for the other rows."""
    for size, queue in lines.items():
        if size != million:
            line.rebuild(queue)
    columns = statements.COLUMNS.split(", ")
    rows = Participation.objects.filter(distribution=lines[million]).values_list(*columns)
    times = [
        (
            _seconds(lambda: line.rebuild(lines[million])),
            _seconds(lambda: sum(1 for _ in rows.iterator(line.CHUNK))),
        )
        for _ in range(3)
    ]
    return _time_row(f"rebuilding Redis for {million:,} waiting", "reading those rows", times, 4)


def _admission_row(queue: Distribution, rounds: int) -> Row:
    def next_ids() -> list[int]:
        return list(line.waiting(queue).values_list("id", flat=True)[:BATCH])

    def admit() -> None:
        with transaction.atomic():
            lifecycle.admit(queue, next_ids(), now=clock.now(), actor="system:bench", expires_at=None)

    def update() -> None:
        with transaction.atomic():
            rows = Participation.objects.filter(pk__in=next_ids())
            rows.update(status="ADMITTED", admitted_at=clock.now())

    times = [(_seconds(admit), _seconds(update)) for _ in range(rounds)]
    return _time_row(f"admitting {BATCH:,}", "a plain UPDATE of as many", times, 3)


def _time_row(name: str, yardstick: str, times: list[tuple[float, float]], goal: float) -> Row:
    figures = [f"{statistics.median(column):.2f} s" for column in zip(*times, strict=True)]
    return Row(name, yardstick, figures, [row / other for row, other in times], goal, False)


if __name__ == "__main__":
    main()
