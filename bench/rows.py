"""The rows of the speed table that exist so far, a function each, and the table they make.

HTTP rows are measured in rounds, each round every address in turn, so that a drift of the machine's
speed hits row and yardstick alike; the ratio is taken round by round and its median told.
"""

import argparse
import os
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402

from bench import auctions, data, draws, load  # noqa: E402
from bench.table import Row, rate_row, seconds, time_row  # noqa: E402
from consumers import sessions  # noqa: E402
from distributions.core import lifecycle, statements  # noqa: E402
from distributions.core.models import Distribution, Participation  # noqa: E402
from distributions.queues import line  # noqa: E402
from fanfare import clock, redis  # noqa: E402

BATCH = 10_000


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
        draws.row(shop, options.million, options.rounds),
        auctions.row(shop, options.rounds, options.seconds),
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
        rate_row("queue status, 100,000 waiting", empty, seen["100000"], seen["empty"], 0.55),
        rate_row("durable queue entry", empty, seen["entry"], seen["empty"], 0.17),
        rate_row(
            f"status, {million:,} waiting", "with 1,000 waiting", seen[str(million)], seen["1000"], 0.90
        ),
    ]


def _rebuild_row(lines: dict[int, Distribution], million: int) -> Row:
    """Also fills Redis for the other rows."""
    for size, queue in lines.items():
        if size != million:
            line.rebuild(queue)
    columns = statements.COLUMNS.split(", ")
    rows = Participation.objects.filter(distribution=lines[million]).values_list(*columns)
    times = [
        (
            seconds(lambda: line.rebuild(lines[million])),
            seconds(lambda: sum(1 for _ in rows.iterator(line.CHUNK))),
        )
        for _ in range(3)
    ]
    return time_row(f"rebuilding Redis for {million:,} waiting", "reading those rows", times, 4)


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

    times = [(seconds(admit), seconds(update)) for _ in range(rounds)]
    return time_row(f"admitting {BATCH:,}", "a plain UPDATE of as many", times, 3)


if __name__ == "__main__":
    main()
