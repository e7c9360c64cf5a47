"""The report of an audit: as JSON, as lines for a terminal, and as a page of its own."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.template.loader import render_to_string

from distributions.audit import order
from distributions.audit.checking import Audit, title_of
from distributions.audit.findings import Promise
from fanfare.wire import iso

IN_LINES = 5  # examples of one promise in a terminal


def make(audits: Sequence[Audit], *, at: dt.datetime) -> dict[str, Any]:
    """The whole report, as JSON holds it."""
    return {
        "version": 1,
        "at": iso(at),
        "kept": all(audit.ledger.is_kept for audit in audits),
        "distributions": [_one(audit) for audit in audits],
    }


def _one(audit: Audit) -> dict[str, Any]:
    distribution = audit.distribution
    promises = [_promise(one) for one in audit.ledger.promises.values()]
    by_hand = audit.by_hand
    found = {
        "id": distribution.pk,
        "kind": distribution.kind,
        "title": title_of(distribution),
        "organization": distribution.organization.slug,
        "kept": audit.ledger.is_kept,
        "promises": promises,
        "figures": audit.figures,
    }
    if distribution.kind == "queue":
        found["inversions"] = audit.ledger.of(order.ORDER).broken
        found["byHand"] = {
            "number": by_hand.number,
            "outOfTurn": by_hand.out_of_turn,
            "listed": by_hand.listed,
        }
    plain: dict[str, Any] = _plain(found)
    return plain


def _promise(promise: Promise) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": promise.name,
        "kept": promise.is_kept,
        "weighed": promise.weighed,
        "broken": promise.broken,
        "examples": promise.examples,
    }
    return found | ({"skipped": promise.skipped} if promise.skipped else {})


def _plain(value: Any) -> Any:
    """With instants as the API writes them."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return iso(value) if isinstance(value, dt.datetime) else value


def as_lines(report: dict[str, Any]) -> Iterator[str]:
    """For people at a terminal."""
    for one in report["distributions"]:
        yield f"{one['title']} ({one['id']})"
        yield from _figures(one)
        for promise in one["promises"]:
            yield from _lines(promise)
        yield ""
    number = len(report["distributions"])
    broken = sum(not one["kept"] for one in report["distributions"])
    yield "Every promise was kept." if report["kept"] else f"Promises were broken in {broken} of {number}."


def _figures(one: dict[str, Any]) -> Iterator[str]:
    figures = one["figures"]
    states = ", ".join(f"{number:,} {status}" for status, number in figures["statuses"].items())
    yield f"  {figures['participations']:,} participations: {states or 'none'}"
    waits = figures.get("waitSeconds")
    if waits:
        yield "  waits: " + ", ".join(f"{share} % {wait:,.1f} s" for share, wait in waits.items())
    if "byHand" in one:
        by_hand = one["byHand"]
        yield f"  inversions: {one['inversions']:,}"
        told = f"{by_hand['number']:,}, of these out of turn {by_hand['outOfTurn']:,}"
        yield f"  admitted by hand: {told}"
        for move in by_hand["listed"][:IN_LINES]:
            yield f"    {move['at']} {move['consumer']} by {move['by']}" + (
                f": {move['reason']}" if move["reason"] else ""
            )


def _lines(promise: dict[str, Any]) -> Iterator[str]:
    if promise.get("skipped"):
        yield f"  –  {promise['name']}: not judged, {promise['skipped']}"
    elif promise["kept"]:
        yield f"  ok {promise['name']} ({promise['weighed']:,})"
    if not promise["kept"]:
        yield f"  NO {promise['name']}: {promise['broken']:,} of {promise['weighed']:,}"
        for example in promise["examples"][:IN_LINES]:
            ids = ", ".join(f"{name} {value}" for name, value in example.items() if name != "what" and value)
            yield f"     {example['what']} [{ids}]"


def as_page(report: dict[str, Any]) -> str:
    """One HTML file that needs nothing else, and can be printed."""
    shown = [{**one, "bars": _bars(one["figures"]["admissions"])} for one in report["distributions"]]
    return render_to_string("audit.html", {**report, "distributions": shown})


def _bars(admissions: dict[str, Any]) -> list[dict[str, float]]:
    """Where each bar of the chart stands, in percent of its width and height."""
    numbers = admissions["numbers"]
    most, width = max(numbers, default=0) or 1, 100 / (len(numbers) or 1)
    return [
        {
            "x": round(index * width, 3),
            "width": round(width * 0.8, 3),
            "y": round(100 - 100 * number / most, 2),
            "height": round(100 * number / most, 2),
        }
        for index, number in enumerate(numbers)
    ]
