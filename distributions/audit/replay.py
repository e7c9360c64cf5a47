"""Each participation's course as the trace tells it, held against the row. Pure, and of one person at a time.

An entry's event names the place, by which it belongs to its row; who was turned away at the door has none,
and belongs by the instant. A move's event names the consumer alone: of several that they hold (bookings) it
is the one whose row says that it moved then.
"""

from collections.abc import Callable
from dataclasses import dataclass

from distributions.audit.findings import Ledger
from distributions.audit.trace import MERGED, Row, Told
from distributions.core.models import ENTERED, EXPIRED, LIVE, MOVES, Kind, Reason, Status, event_of

EQUAL = "every participation is what its trace comes to"
KNOWN = "every event belongs to a participation, and every participation to an entry"
LEGAL = "only legal moves, each by its name"
ONCE = "nobody is admitted twice"
ONE = "one live participation a consumer"
IN_TIME = "an admission ends when it is over, and not before"
SWEEP = "system:expire_admissions"
TicketOf = Callable[[int], int]
"""The place that was given at entry, of the place that a participation has now."""


@dataclass
class Course:
    """What the trace says became of one participation."""

    entry: Told
    owner: str
    row: Row | None
    status: str
    admitted: Told | None = None
    ended: Told | None = None

    def become(self, status: str) -> None:
        """What it is from then on, by the trace."""
        self.status = status

    def fits(self, told: Told) -> bool:
        """Whether the row says that it made this move then."""
        row = self.row
        if row is None:
            return False
        if told.to == Status.ADMITTED:
            return row.admitted_at == told.at
        return row.status == told.to and row.ended_at == told.at


def check(kind: Kind, rows: list[Row], told: list[Told], ledger: Ledger, ticket_of: TicketOf) -> None:
    """Weigh everything about one person in one distribution."""
    courses: list[Course] = []
    unclaimed = {_key(row, ticket_of): row for row in rows}
    for event in told:
        if event.name == MERGED:
            _hand_over(courses, event, kind, ledger)
        elif event.is_entry:
            _enter(courses, event, unclaimed, kind, ledger)
        elif event.is_move:
            _move(courses, event, kind, ledger)
    for course in courses:
        _compare(course, ledger)
    for row in unclaimed.values():
        ledger.of(KNOWN).breaks(
            "no event tells of this entry", participation=row.id, consumer=row.consumer_id
        )


def _key(row: Row, ticket_of: TicketOf) -> tuple[object, ...]:
    """By what an entry's event finds its row."""
    return (row.consumer_id, row.entered_at) if row.place is None else (ticket_of(row.place),)


def _enter(
    courses: list[Course],
    event: Told,
    unclaimed: dict[tuple[object, ...], Row],
    kind: Kind,
    ledger: Ledger,
) -> None:
    key = (event.consumer_id, event.at) if event.place is None else (event.place,)
    row = unclaimed.pop(key, None)
    if row is None and event.place is None:  # turned away at the door, and handed over since
        others = [at for at, one in unclaimed.items() if one.place is None and one.entered_at == event.at]
        row = unclaimed.pop(others[0]) if others else None
    ids = {"event": event.id, "consumer": event.consumer_id}
    ledger.of(KNOWN).require(row is not None, "the participation of this entry is not there", **ids)
    name = event_of(kind, ENTERED if event.place is not None else str(event.to))
    ledger.of(LEGAL).require(
        event.name == name and event.to in (*LIVE, Status.DENIED), "not how one enters", **ids
    )
    course = Course(event, event.consumer_id, row, str(event.to))
    course.admitted = event if event.to == Status.ADMITTED else None
    course.ended = event if event.to == Status.DENIED else None
    courses.append(course)
    _require_one(courses, course, event, kind, ledger)


def _require_one(courses: list[Course], course: Course, event: Told, kind: Kind, ledger: Ledger) -> None:
    """Bookings stand side by side; of all else one is live at any time."""
    live = [one for one in courses if one.owner == course.owner and one.status in LIVE]
    is_one = kind == Kind.APPOINTMENT or course.status not in LIVE or len(live) == 1
    ids = [one.row.id for one in live if one.row]
    ledger.of(ONE).require(
        is_one, "two that count at once", event=event.id, consumer=course.owner, participations=ids
    )


def _hand_over(courses: list[Course], event: Told, kind: Kind, ledger: Ledger) -> None:
    """A guest's participation is the consumer's from now on: of several the one that is now."""
    theirs = [one for one in courses if one.owner == event.guest]
    theirs.sort(
        key=lambda one: (
            one.row is None or one.row.consumer_id != event.consumer_id,
            one.status != event.status,
        )
    )
    ids = {"event": event.id, "consumer": event.consumer_id, "guest": event.guest}
    if ledger.of(KNOWN).require(bool(theirs), "the participation that was handed over is not there", **ids):
        theirs[0].owner = event.consumer_id
        _require_one(courses, theirs[0], event, kind, ledger)


def _move(courses: list[Course], event: Told, kind: Kind, ledger: Ledger) -> None:
    # Moved at the moment of a merger, it may be told of under either id.
    mine = [one for one in courses if event.consumer_id in (one.owner, one.entry.consumer_id)]
    able = [one for one in mine if one.status == event.source]
    able.sort(key=lambda one: (not one.fits(event), one.owner != event.consumer_id))
    ids = {"event": event.id, "consumer": event.consumer_id}
    if not ledger.of(KNOWN).require(bool(mine), "no participation made this move", **ids):
        return
    is_legal = event.source in MOVES.get(Status(str(event.to)), ())
    is_named = event.name in (event_of(kind, str(event.to)), event_of(kind, EXPIRED))
    ledger.of(LEGAL).require(
        is_legal and is_named and bool(able), f"{event.name} from {event.source} to {event.to}", **ids
    )
    course = able[0] if able else mine[-1]
    if event.to == Status.ADMITTED:
        person = {"participation": course.row and course.row.id, **ids}
        ledger.of(ONCE).require(course.admitted is None, "admitted once more", **person)
        course.admitted = event
    else:
        course.ended = event
    course.become(str(event.to))


def _compare(course: Course, ledger: Ledger) -> None:
    """The row says what the trace comes to."""
    row = course.row
    if row is None:
        return
    is_expired = course.status == Status.DENIED and bool(course.ended and course.ended.actor == SWEEP)
    said = {
        "owner": (row.consumer_id, course.owner),
        "status": (row.status, course.status),
        "entered": (row.entered_at, course.entry.at),
        "admitted": (row.admitted_at, course.admitted and course.admitted.at),
        "ended": (row.ended_at, course.ended and course.ended.at),
        "expired": (row.deny_reason == Reason.ADMISSION_EXPIRED, is_expired),
    }
    differ = [f"{name} {a}, by the trace {b}" for name, (a, b) in said.items() if a != b]
    ids = {"participation": row.id, "consumer": row.consumer_id}
    ledger.of(EQUAL).require(not differ, "; ".join(differ), **ids)
    if row.admitted_at and row.expires_at and row.ended_at:
        is_over = row.expires_at <= row.ended_at
        ledger.of(IN_TIME).require(
            is_over == is_expired, f"until {row.expires_at}, ended {row.ended_at}", **ids
        )
