"""What must never happen, judged by what the people saw: order, positions, rate, nobody twice.

Pure functions over records. Only what an outsider can know is used: that one entry was answered before
another was sent, and the times that the API reports.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from distributions.crowd.person import Record
from distributions.crowd.waiter import WaitRecord

MINUTE = dt.timedelta(minutes=1)
SHOWN = 3  # examples of what is wrong


@dataclass(frozen=True)
class Check:
    """One promise: kept, or examples of how it was broken; `weighed` is how many cases were looked at."""

    name: str
    weighed: int
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What the queue promises: admissions a minute (None: by hand), and when a pre-queue is drawn by lot."""

    rate: int | None
    drawn_at: dt.datetime | None = None

    @classmethod
    def of(cls, queue: dict[str, Any]) -> "Terms":
        """From the API's answer about the queue."""
        drawn = "shuffle" in queue and queue["openAt"] is not None
        return cls(queue["admissionRate"], dt.datetime.fromisoformat(queue["openAt"]) if drawn else None)

    def is_by_lot(self, record: Record) -> bool:
        """Whether this person's place was drawn."""
        return self.drawn_at is not None and bool(record.entered_at and record.entered_at < self.drawn_at)


def all_checks(records: Sequence[Record], terms: Terms) -> list[Check]:
    """Every promise."""
    return [
        in_order(records, terms),
        positions_never_worse(records, terms),
        rate_kept(records, terms),
        nobody_twice(records),
        tokens_hold(records),
    ]


def in_order(records: Sequence[Record], terms: Terms) -> Check:
    """Whoever had an answer to their entry before another sent theirs is not admitted after them.

    Among those whose order was drawn by lot there is none to keep.
    """
    admitted = [r for r in records if r.admitted_at and r.entry.asked is not None]
    answers = sorted(admitted, key=lambda r: r.entry.answered)
    broken, latest, following = [], None, 0
    for later in sorted(admitted, key=_asked):
        while following < len(answers) and answers[following].entry.answered < _asked(later):
            latest = max((latest, answers[following]), key=_admitted) if latest else answers[following]
            following += 1
        if latest and not terms.is_by_lot(later) and _admitted(latest) > _admitted(later):
            broken.append(
                f"{latest.consumer_id} was in before {later.consumer_id}, yet admitted "
                f"{(_admitted(latest) - _admitted(later)).total_seconds():.3f} s after"
            )
    return Check("first come, first served", len(admitted), tuple(broken))


def _asked(record: Record) -> float:
    assert record.entry.asked is not None
    return record.entry.asked


def _admitted(record: Record) -> dt.datetime:
    assert record.admitted_at is not None
    return record.admitted_at


def positions_never_worse(records: Iterable[Record], terms: Terms) -> Check:
    """No position grew from one answer to the next, but once for those whose place was drawn by lot."""
    broken, weighed = [], 0
    for record in records:
        worse = [(a, b) for a, b in zip(record.positions, record.positions[1:], strict=False) if b > a]
        weighed += len(record.positions)
        for before, after in worse[1:] if terms.is_by_lot(record) else worse:
            broken.append(f"{record.consumer_id} went from {before} to {after}")
    return Check("a position never gets worse", weighed, tuple(broken))


def rate_kept(records: Iterable[Record], terms: Terms) -> Check:
    """No 60 seconds hold more admissions than the rate."""
    times = sorted(at for record in records for at in record.admissions)
    most, start = busiest_minute(times)
    broken: tuple[str, ...] = ()
    if terms.rate is not None and most > terms.rate:
        broken = (f"{most} in the minute from {start}, {terms.rate} allowed",)
    return Check("the rate is kept in any minute", len(times), broken)


def busiest_minute(times: Sequence[dt.datetime]) -> tuple[int, dt.datetime | None]:
    """The most admissions in any 60 seconds, and when these began; `times` in order."""
    most, start, first = 0, None, 0
    for last, at in enumerate(times):
        while times[first] <= at - MINUTE:
            first += 1
        if last - first + 1 > most:
            most, start = last - first + 1, times[first]
    return most, start


def nobody_twice(records: Iterable[Record]) -> Check:
    """One admission a person, one person an admission."""
    broken, weighed = [], 0
    names: Counter[str] = Counter()
    for record in records:
        weighed += bool(record.admissions)
        names.update(record.tokens)
        if len(record.admissions) > 1 or len(record.tokens) > 1:
            broken.append(f"{record.consumer_id} was admitted {len(record.admissions)} times")
    broken += [f"admission {name} was given to {count} people" for name, count in names.items() if count > 1]
    return Check("nobody is admitted twice", weighed, tuple(broken))


def one_entry_each(records: Sequence[WaitRecord]) -> Check:
    """One entry a person, one person an entry, however often they enter."""
    names: Counter[str] = Counter(name for record in records for name in record.names)
    broken = [f"{one.consumer_id} has {len(one.names)} entries" for one in records if len(one.names) > 1]
    broken += [f"entry {name} is of {count} people" for name, count in names.items() if count > 1]
    return Check("nobody is on the list twice", len(names), tuple(broken))


def entries_hold(records: Sequence[WaitRecord]) -> Check:
    """Whoever entered is on the list since then, until they leave."""
    given = [record for record in records if record.names]
    return Check("an entry stays what it was, until its end", len(given), tuple(_problems(given)))


def stock_kept(records: Sequence[Record], inventory: int | None) -> Check:
    """No more units are sold, or still claimed at the end, than there were; None: there was no limit."""
    held = [record for record in records if record.outcome in ("COMPLETED", "ADMITTED")]
    is_broken = inventory is not None and len(held) > inventory
    broken = (f"{len(held)} of {inventory} units",) if is_broken else ()
    return Check("no more than the stock", len(held), broken)


def tokens_hold(records: Iterable[Record]) -> Check:
    """Every admission's token is valid by the public keys alone and to `validate`, and completing lasts."""
    given = [record for record in records if record.tokens or record.problems]
    return Check("tokens are valid offline and online", len(given), tuple(_problems(given)))


def _problems(records: Iterable[Record]) -> Iterator[str]:
    for record in records:
        for problem in record.problems:
            yield f"{record.consumer_id}: {problem}"
