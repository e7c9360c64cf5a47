"""The sum of an outing: how many, how long, how fast, and whether every promise was kept."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from distributions.crowd import checks
from distributions.crowd.bidder import BidRecord
from distributions.crowd.checks import Check, Terms
from distributions.crowd.person import Record
from distributions.crowd.waiter import WAITING
from distributions.crowd.wire import Wire

TIMED = (
    "guest",
    "exchange",
    "enter",
    "look",
    "slots",
    "book",
    "rebook",
    "cancel",
    "bid",
    "status",
    "validate",
    "complete",
)
UNFINISHED = ("", "QUEUED", "ADMITTED")
ENDS = ("COMPLETED", "LEFT", "DENIED", "NEVER_BID", WAITING, *UNFINISHED)


def make(records: Sequence[Record], found: Sequence[Check], wire: Wire, seconds: float) -> dict[str, Any]:
    """The report, as JSON holds it; `of_queue` and `of_auction` add what is their own."""
    outcomes = Counter(record.outcome for record in records)
    return {
        "people": len(records),
        "seconds": round(seconds, 1),
        "entered": sum(record.entered_at is not None for record in records),
        "admitted": sum(bool(record.admissions) for record in records),
        "completed": outcomes["COMPLETED"],
        "left": outcomes["LEFT"],
        "denied": dict(Counter(r.deny_reason for r in records if r.outcome == "DENIED")),
        "refused": {code: count for code, count in outcomes.items() if code not in ENDS},
        "unfinished": sum(outcomes[name] for name in UNFINISHED),
        "toldToWait": dict(wire.told_to_wait),
        "failures": dict(wire.failures),
        "waitSeconds": percentiles(_waits(records), (50, 95, 100)),
        "milliseconds": {
            what: percentiles(wire.milliseconds[what], (50, 95, 99))
            for what in TIMED
            if wire.milliseconds[what]
        },
        "checks": [_check(check) for check in found],
    }


def of_queue(records: Sequence[Record], terms: Terms) -> dict[str, Any]:
    """How fast the queue admitted."""
    admissions = sorted(at for record in records for at in record.admissions)
    return {"busiestMinute": checks.busiest_minute(admissions)[0], "admissionRate": terms.rate}


def of_auction(records: Sequence[BidRecord], before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """How the auction went; amounts as the API writes them."""
    return {
        "bids": sum(len(record.bids) for record in records),
        "refusedBids": sum(record.refused_bids for record in records),
        "price": after["currentHighBid"],
        "currencyCode": after["currencyCode"],
        "status": after["status"],
        "closeAt": after["closeAt"],
        "isExtended": before["closeAt"] != after["closeAt"],
        "paid": sorted((str(record.paid) for record in records if record.paid is not None), reverse=True),
    }


def _waits(records: Sequence[Record]) -> list[float]:
    return [(r.admitted_at - r.entered_at).total_seconds() for r in records if r.admitted_at and r.entered_at]


def percentiles(values: Sequence[float], wanted: Sequence[int]) -> dict[str, float]:
    """`p50`, `p95`, … by nearest rank; 100 is called max. Empty without values."""
    ordered = sorted(values)
    return {
        "max" if percent == 100 else f"p{percent}": round(
            ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)], 1
        )
        for percent in wanted
        if ordered
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "kept": not check.broken,
        "weighed": check.weighed,
        "broken": len(check.broken),
        "examples": list(check.broken[: checks.SHOWN]),
    }


def is_kept(report: dict[str, Any]) -> bool:
    """Whether no promise was broken."""
    return all(check["kept"] for check in report["checks"])


def as_lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a reader."""
    yield f"{report['people']:,} people in {report['seconds']} s"
    names = ("entered", "admitted", "completed", "left", "unfinished")
    yield "  " + ", ".join(f"{report[name]:,} {name}" for name in names)
    for name, title in (
        ("denied", "denied"),
        ("refused", "refused"),
        ("toldToWait", "told to wait"),
        ("failures", "failed and asked again"),
    ):
        if report[name]:
            yield f"  {title}: " + ", ".join(f"{count:,} {code}" for code, count in report[name].items())
    if report["waitSeconds"]:
        yield f"  wait in line: {_shown(report['waitSeconds'], 's')}"
    for what, figures in report["milliseconds"].items():
        yield f"  {what} answered in: {_shown(figures, 'ms')}"
    yield from _course(report)
    for check in report["checks"]:
        verdict = "kept  " if check["kept"] else "BROKEN"
        yield f"  {verdict}  {check['name']} ({check['weighed']:,} looked at)"
        if check["broken"]:
            yield from (f"          {example}" for example in check["examples"])
            yield f"          {check['broken']:,} in all"


def _course(report: dict[str, Any]) -> Iterator[str]:
    """What queue or auction did."""
    if "admissionRate" in report:
        rate = report["admissionRate"]
        allowed = f"{rate:,} allowed" if rate is not None else "by hand, without a rate"
        yield f"  admitted in the busiest minute: {report['busiestMinute']:,} ({allowed})"
        return
    if "inventory" in report:
        stock = report["inventory"]
        yield f"  units sold: {report['completed']:,}" + ("" if stock is None else f" of {stock:,}")
        return
    if "bookings" in report:
        lost = report["slotsTakenMeanwhile"]
        yield f"  bookings made: {report['bookings']:,}; {lost:,} slots were taken meanwhile"
        return
    if "waiting" in report:
        yield f"  on the list at the end: {report['waiting']:,}"
        return
    currency = report["currencyCode"]
    yield f"  {report['bids']:,} bids accepted, {report['refusedBids']:,} refused as too low or too late"
    closing = f"{report['status'].lower()}, {'extended to' if report['isExtended'] else 'closing'}"
    yield f"  price {report['price']} {currency}; {closing} {report['closeAt']}"
    yield f"  won at {', '.join(report['paid']) or 'no price: nobody won'}"


def _shown(figures: dict[str, float], unit: str) -> str:
    return ", ".join(f"{name} {value:g} {unit}" for name, value in figures.items())
