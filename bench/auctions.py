"""The auction's row: 32 bidders at once on one auction, in processes like the web server's.

`python -m bench.auctions bids|updates AUCTION PROCESS SECONDS` is one of these processes: it says when it is
ready, is told when to begin (by the machine's monotonic clock), and from then on each of its threads works on
a connection of its own; then it prints how much was done. Amounts are microseconds since the beginning, so
that whoever bids later bids more: nearly all are accepted, and only these are counted. The yardstick is one
row that all of them update, each time with a commit.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402

from bench import data  # noqa: E402
from bench.load import Figures  # noqa: E402
from bench.table import Row, rate_row  # noqa: E402
from distributions.auctions import rules  # noqa: E402
from distributions.auctions.bidding import Ask  # noqa: E402
from distributions.auctions.models import Bid  # noqa: E402
from distributions.core.models import Distribution  # noqa: E402
from fanfare import errors  # noqa: E402

PROCESSES, THREADS = 4, 8  # 32 connections
WARM_UP = 0.5  # seconds at full load before counting begins
Work = Callable[[], bool]


def row(shop: data.Shop, rounds: int, seconds: int) -> Row:
    """Rounds of both in turn; each auction is new, so that the first bids are in it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_row (id int PRIMARY KEY, number bigint NOT NULL)")
        cursor.execute("INSERT INTO bench_row VALUES (1, 0) ON CONFLICT DO NOTHING")
    bids, updates, shares = [], [], []
    for number in range(rounds):
        auction = data.make_auction(shop, f"auction-{number}")
        updates.append(_run("updates", auction, seconds))
        bids.append(_run("bids", auction, seconds))
        decided = Bid.objects.filter(auction=auction.pk)
        shares.append(decided.filter(refusal="").count() / decided.count())
    name = f"bids on one auction, 32 bidders at once ({min(shares):.0%} accepted)"
    return rate_row(name, "a one-row UPDATE … RETURNING with commit", bids, updates, 0.5)


def _run(work: str, auction: Distribution, seconds: int) -> Figures:
    command = [sys.executable, "-m", "bench.auctions", work, auction.pk]
    started = [
        subprocess.Popen(
            [*command, str(number), str(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(PROCESSES)
    ]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()  # it is ready
    begin = time.monotonic() + 0.2
    for process in started:
        assert process.stdin is not None
        process.stdin.write(f"{begin}\n")
        process.stdin.flush()
    told = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise SystemExit(f"{work} failed")
    return Figures(sum(json.loads(text)["done"] for text in told) / seconds, 0, 0)


def main(work: str, auction_id: str, process: str, seconds: str) -> None:
    """All threads of one process; prints how often their work was done in the time that counts."""
    distribution = Distribution.objects.select_related("auction", "tally", "sequence").get(pk=auction_id)
    counts: Counter[int] = Counter()
    print("ready", flush=True)
    begin = float(sys.stdin.readline())

    def live(thread: int) -> None:
        bidder = int(process) * THREADS + thread + 1
        one = _update if work == "updates" else _bidding(distribution, f"cons_{bidder:026d}", begin)
        connection.ensure_connection()
        time.sleep(max(0.0, begin - time.monotonic()))
        counted_from, until = begin + WARM_UP, begin + WARM_UP + float(seconds)
        while (now := time.monotonic()) < until:
            done = one()
            counts[thread] += done and now >= counted_from
        connection.close()

    threads = [threading.Thread(target=live, args=[number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"done": counts.total()}))


def _update() -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE bench_row SET number = number + 1 WHERE id = 1 RETURNING number")
        return bool(cursor.fetchone())


def _bidding(auction: Distribution, consumer_id: str, begin: float) -> Work:
    def bid() -> bool:
        amount = max(1, int((time.monotonic() - begin) * 1_000_000))
        try:
            rules.bid(
                auction,
                consumer_id,
                Ask(amount, None, "JPY"),
                actor=f"consumer:{consumer_id}",
                fingerprint=None,
            )
        except errors.BidTooLow:
            return False  # overtaken: decided and written down as well, but not counted
        return True

    return bid


if __name__ == "__main__":
    main(*sys.argv[1:])
