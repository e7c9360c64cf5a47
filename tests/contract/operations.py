"""Every operation of the API as the contract has it, with what it takes to make it succeed.

`walk` finds the operations there are in the URL configuration; `OPERATIONS` has a row for each. What
stands here comes from the contract, not from the code.
"""

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from distributions import tasks
from distributions.appointments import bookings
from distributions.appointments.models import Booking
from distributions.auctions.bidding import Ask, bid
from distributions.auctions.models import Bidder
from distributions.core import admission, lifecycle
from distributions.core.models import Distribution, Participation
from distributions.draws import rules as draws
from distributions.timed_releases import rules as releases
from distributions.waitlists import rules as waitlists
from experiences.models import Experience, Sequence
from fanfare import clock, redis
from tests.api.mailbox import get_code
from tests.lines import admit, enter, fill, make_consumers
from tests.world import (
    World,
    loaded,
    make_appointment,
    make_auction,
    make_draw,
    make_queue,
    make_release,
    make_waitlist,
)

BASE = "api/v1/"
# Open to everyone: the API's description, and the page that shows it.
PUBLIC = {"/openapi.json", "/docs"}
Body = dict[str, Any]
WINNERS = 60  # of a side's draw, and of its auction: more than one operation's cells call for
ROOM = {"places_per_slot": 1_000, "max_bookings_per_consumer": 9}
_numbers = itertools.count(1)


@dataclass
class Side:
    """One organization, with all that an operation may be about."""

    world: World
    queue: Distribution
    members_queue: Distribution  # takes no guests
    members_experience: Experience  # its only sequence asks for a sign-in
    person: str  # a consumer's id
    shuffled_queue: Distribution  # its order is drawn by lot
    draw: Distribution  # takes entries
    members_draw: Distribution  # takes no guests
    auction: Distribution  # takes bids
    members_auction: Distribution  # takes no guests
    release: Distribution  # in stock
    members_release: Distribution  # takes no guests
    waitlist: Distribution
    members_waitlist: Distribution  # takes no guests
    appointment: Distribution  # with room for all
    members_appointment: Distribution  # takes no guests

    # Made where they are asked for: they take longer than all the rest.
    @cached_property
    def _of_drawn(self) -> tuple[Distribution, Iterator[str]]:
        drawn, winners = _make_drawn(self.world)
        return drawn, iter(winners)

    @cached_property
    def _of_settled(self) -> tuple[Distribution, Iterator[str]]:
        settled, buyers = _make_settled(self.world)
        return settled, iter(buyers)

    @property
    def drawn(self) -> Distribution:
        return self._of_drawn[0]

    @property
    def winners(self) -> Iterator[str]:
        """Of the draw, who have neither completed nor been denied."""
        return self._of_drawn[1]

    @property
    def settled(self) -> Distribution:
        return self._of_settled[0]

    @property
    def buyers(self) -> Iterator[str]:
        """Who won the auction, and have neither completed nor been denied."""
        return self._of_settled[1]


def make_side(world: World) -> Side:
    """The things of one organization that a test calls for."""
    organization = world.organization
    closed = Experience.objects.create(organization=organization, slug="club", name="Club")
    Sequence.objects.create(experience=closed, slug="members", name="Members", requires_authentication=True)
    return Side(
        world,
        queue=make_queue(world.sequence),
        members_queue=make_queue(world.sequence, supports_guest=False),
        members_experience=closed,
        person=make_consumers(world, 1)[0],
        shuffled_queue=make_queue(world.sequence, opens_in=3600, randomize_before_open=True),
        draw=make_draw(world.sequence, draws_in=3600),
        members_draw=make_draw(world.sequence, draws_in=3600, supports_guest=False),
        auction=make_auction(world.sequence, ends_in=None),
        members_auction=make_auction(world.sequence, ends_in=None, supports_guest=False),
        release=make_release(world.sequence),
        members_release=make_release(world.sequence, supports_guest=False),
        waitlist=make_waitlist(world.sequence),
        members_waitlist=make_waitlist(world.sequence_with("second"), supports_guest=False),
        appointment=make_appointment(world.sequence, **ROOM),
        members_appointment=make_appointment(world.sequence, **ROOM, supports_guest=False),
    )


def _make_drawn(world: World) -> tuple[Distribution, list[str]]:
    """A draw that the tasks have frozen and drawn, and who won."""
    draw = make_draw(world.sequence, winner_count=WINNERS)
    winners = fill(draw, world, WINNERS)
    tasks.freeze_draw(draw.pk)
    tasks.run_draw(draw.pk)
    return loaded(draw), winners


def _make_settled(world: World) -> tuple[Distribution, list[str]]:
    """An auction that the task has settled, and who won, each by one bid."""
    auction = make_auction(world.sequence, ends_in=-1, winner_count=WINNERS)
    buyers = fill(auction, world, WINNERS)
    Bidder.objects.bulk_create(
        Bidder(participation=row, auction=auction.auction, maximum=20_000, since=row.place, amount=20_000)
        for row in Participation.objects.filter(distribution=auction)
    )
    tasks.settle_auction(auction.pk)
    return loaded(auction), buyers


def _nothing(side: Side, caller: str) -> Body:
    return {}


@dataclass(frozen=True)
class Operation:
    """One row: the contract's letter, what the path names, and a body with which the call succeeds.

    `body` also arranges what must be so before, for the consumer who calls, and fills in what else the path
    names; `target` is the id in the path, `members` the id of one that takes no guests.
    """

    letter: str
    thing: str = ""
    target: Callable[[Side], str] | None = None
    members: Callable[[Side], str] | None = None
    body: Callable[[Side, str], Body] = _nothing
    status: int = 200
    query: str = ""


def _queue(side: Side) -> str:
    return side.queue.pk


def _draw(side: Side) -> str:
    return side.draw.pk


def _drawn(side: Side) -> str:
    return side.drawn.pk


def _auction(side: Side) -> str:
    return side.auction.pk


def _settled(side: Side) -> str:
    return side.settled.pk


def _release(side: Side) -> str:
    return side.release.pk


def _waitlist(side: Side) -> str:
    return side.waitlist.pk


def _appointment(side: Side) -> str:
    return side.appointment.pk


def _shuffled_queue(side: Side) -> str:
    return side.shuffled_queue.pk


def _experience(side: Side) -> str:
    return side.world.sequence.experience_id


def _fresh_address() -> str:
    return f"somebody-{next(_numbers)}@example.com"


def _ask_for_code(side: Side, caller: str) -> Body:
    return {"email": _fresh_address()}


def _show_code(side: Side, caller: str) -> Body:
    address = _fresh_address()
    return {"email": address, "code": get_code(side.world, address)}


def _name_customer(side: Side, caller: str) -> Body:
    return {
        "provider": "shop",
        "issuer": "https://shop.example.com",
        "subject": f"customer-{next(_numbers)}",
        "claims": {"name": "Robin"},
    }


def _show_exchange_code(side: Side, caller: str) -> Body:
    authorized = side.world.server().post("/auth/external/authorize", _name_customer(side, caller))
    return {"exchangeCode": authorized.json()["exchangeCode"]}


def _show_refresh_token(side: Side, caller: str) -> Body:
    return {"refreshToken": side.world.consumer().refresh_token}


def _in_line(side: Side, caller: str) -> Body:
    enter(side.queue, caller)
    return {}


def _newcomer(side: Side, caller: str) -> Body:
    return {"consumerId": make_consumers(side.world, 1)[0]}


def _admitted(side: Side, caller: str) -> Body:
    body = _newcomer(side, caller)
    admit(side.queue, body["consumerId"])
    return body


def _to_be_denied(side: Side, caller: str) -> Body:
    return {**_admitted(side, caller), "reason": "ADMIN_ACTION"}


def _with_admission_token(side: Side, caller: str) -> Body:
    (consumer_id,) = make_consumers(side.world, 1)
    token = admission.token(side.queue, admit(side.queue, consumer_id))
    return {"consumerId": consumer_id, "token": token}


def _in_draw(side: Side, caller: str) -> Body:
    draws.enter(side.draw, caller, now=clock.now(), actor=f"consumer:{caller}", fingerprint=None)
    return {}


def _won(side: Side, caller: str) -> Body:
    return {"consumerId": next(side.winners)}


def _won_and_to_be_denied(side: Side, caller: str) -> Body:
    return {**_won(side, caller), "reason": "ADMIN_ACTION"}


def _won_with_token(side: Side, caller: str) -> Body:
    body = _won(side, caller)
    standing = lifecycle.latest(side.drawn, body["consumerId"])
    return {**body, "token": admission.token(side.drawn, standing)}


def _bid(side: Side, caller: str) -> Body:
    """Each higher than all before, in whichever auction."""
    return {"amount": f"{100 + 10 * next(_numbers)}.00"}


def _has_bid(side: Side, caller: str) -> Body:
    ask = Ask(10_000 + 1_000 * next(_numbers), None, "EUR")
    bid(side.auction, caller, ask, actor=f"consumer:{caller}", fingerprint=None)
    return {}


def _buyer(side: Side, caller: str) -> Body:
    return {"consumerId": next(side.buyers)}


def _buyer_to_be_denied(side: Side, caller: str) -> Body:
    return {**_buyer(side, caller), "reason": "ADMIN_ACTION"}


def _buyer_with_token(side: Side, caller: str) -> Body:
    body = _buyer(side, caller)
    standing = lifecycle.latest(side.settled, body["consumerId"])
    return {**body, "token": admission.token(side.settled, standing)}


def _claims(side: Side, caller: str) -> Body:
    releases.enter(side.release, caller, now=clock.now(), actor=f"consumer:{caller}", fingerprint=None)
    return {}


def _claimed(side: Side, caller: str) -> Body:
    body = _newcomer(side, caller)
    _claims(side, body["consumerId"])
    return body


def _claimed_and_to_be_denied(side: Side, caller: str) -> Body:
    return {**_claimed(side, caller), "reason": "ADMIN_ACTION"}


def _claimed_with_token(side: Side, caller: str) -> Body:
    body = _claimed(side, caller)
    standing = lifecycle.latest(side.release, body["consumerId"])
    return {**body, "token": admission.token(side.release, standing)}


def _waits(side: Side, caller: str) -> Body:
    waitlists.enter(side.waitlist, caller, now=clock.now(), actor=f"consumer:{caller}", fingerprint=None)
    return {}


def _slot(days: int) -> dt.datetime:
    """The start of a slot so many days from now."""
    return (clock.now() + dt.timedelta(days)).replace(minute=0, second=0, microsecond=0)


def _to_book(side: Side, caller: str) -> Body:
    return {"slotTime": _slot(2).isoformat()}


def _books(side: Side, caller: str) -> Body:
    ask = bookings.Ask(caller, _slot(1), clock.now(), f"consumer:{caller}")
    bookings.book(side.appointment, ask)
    return {}


def _to_rebook(side: Side, caller: str) -> Body:
    ask = bookings.Ask(caller, _slot(1), clock.now(), f"consumer:{caller}")
    bookings.book(side.members_appointment, ask)
    return {**_books(side, caller), **_to_book(side, caller)}


def _names_booking(side: Side, caller: str) -> Body:
    _books(side, caller)
    (booking,) = Booking.objects.filter(participation__consumer_id=caller)
    return {"booking_id": booking.pk}


def _booked(side: Side, caller: str) -> Body:
    body = _newcomer(side, caller)
    _books(side, body["consumerId"])
    return body


def _booked_and_to_be_denied(side: Side, caller: str) -> Body:
    return {**_booked(side, caller), "reason": "ADMIN_ACTION"}


def _booked_with_token(side: Side, caller: str) -> Body:
    body = _booked(side, caller)
    standing = lifecycle.latest(side.appointment, body["consumerId"])
    return {**body, "token": admission.token(side.appointment, standing)}


def _files_not_counted(side: Side, caller: str) -> Body:
    """All calls come from one address, which may fetch few proofs a minute: let it be a new minute."""
    if counters := list(redis.client().scan_iter("*rl:*")):
        redis.client().delete(*counters)
    return {}


_DAY = "?date=2026-12-02"
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/auth/guest"): Operation("P"),
    ("POST", "/auth/otp/request"): Operation("P", body=_ask_for_code),
    ("POST", "/auth/otp/verify"): Operation("P", body=_show_code),
    ("POST", "/auth/external/authorize"): Operation("S", body=_name_customer),
    ("POST", "/auth/external/exchange"): Operation("P", body=_show_exchange_code),
    ("POST", "/auth/refresh"): Operation("P", body=_show_refresh_token),
    ("POST", "/auth/logout"): Operation("C", status=204),
    ("GET", "/experiences/{id}"): Operation("P", "Experience", _experience),
    ("POST", "/experiences/{id}/enter"): Operation(
        "C", "Experience", _experience, lambda side: side.members_experience.pk
    ),
    ("DELETE", "/experiences/{id}/leave"): Operation("C", "Experience", _experience),
    ("GET", "/organizations/current"): Operation("P"),
    ("GET", "/queues/{id}"): Operation("P", "Queue", _queue),
    ("GET", "/queues/{id}/challenge"): Operation("C", "Queue", _queue),
    ("POST", "/queues/{id}/enter"): Operation("C", "Queue", _queue, lambda side: side.members_queue.pk),
    ("POST", "/queues/{id}/leave"): Operation("C", "Queue", _queue, body=_in_line),
    ("GET", "/queues/{id}/status"): Operation("C", "Queue", _queue, body=_in_line),
    ("POST", "/queues/{id}/admit"): Operation("S", "Queue", _queue, body=_newcomer),
    ("POST", "/queues/{id}/complete"): Operation("S", "Queue", _queue, body=_admitted),
    ("POST", "/queues/{id}/deny"): Operation("S", "Queue", _queue, body=_to_be_denied),
    ("POST", "/queues/{id}/validate"): Operation("S", "Queue", _queue, body=_with_admission_token),
    ("GET", "/queues/{id}/proof"): Operation("P", "Queue", _shuffled_queue),
    ("GET", "/queues/{id}/proof/file"): Operation("P", "Queue", _shuffled_queue, body=_files_not_counted),
    ("GET", "/draws/{id}"): Operation("P", "Draw", _draw),
    ("GET", "/draws/{id}/challenge"): Operation("C", "Draw", _draw),
    ("POST", "/draws/{id}/enter"): Operation("C", "Draw", _draw, lambda side: side.members_draw.pk),
    ("POST", "/draws/{id}/leave"): Operation("C", "Draw", _draw, body=_in_draw),
    ("GET", "/draws/{id}/status"): Operation("C", "Draw", _draw, body=_in_draw),
    ("POST", "/draws/{id}/complete"): Operation("S", "Draw", _drawn, body=_won),
    ("POST", "/draws/{id}/deny"): Operation("S", "Draw", _drawn, body=_won_and_to_be_denied),
    ("POST", "/draws/{id}/validate"): Operation("S", "Draw", _drawn, body=_won_with_token),
    ("GET", "/draws/{id}/proof"): Operation("P", "Draw", _drawn),
    ("GET", "/draws/{id}/proof/file"): Operation("P", "Draw", _drawn, body=_files_not_counted),
    ("GET", "/auctions/{id}"): Operation("P", "Auction", _auction),
    ("GET", "/auctions/{id}/challenge"): Operation("C", "Auction", _auction),
    ("POST", "/auctions/{id}/bid"): Operation(
        "C", "Auction", _auction, lambda side: side.members_auction.pk, body=_bid
    ),
    ("GET", "/auctions/{id}/status"): Operation("C", "Auction", _auction, body=_has_bid),
    ("GET", "/auctions/{id}/highest-bid"): Operation("P", "Auction", _auction),
    ("GET", "/auctions/{id}/bids"): Operation("C", "Auction", _auction),
    ("GET", "/auctions/{id}/bids/history"): Operation("C", "Auction", _auction),
    ("POST", "/auctions/{id}/complete"): Operation("S", "Auction", _settled, body=_buyer),
    ("POST", "/auctions/{id}/deny"): Operation("S", "Auction", _settled, body=_buyer_to_be_denied),
    ("POST", "/auctions/{id}/validate"): Operation("S", "Auction", _settled, body=_buyer_with_token),
    ("GET", "/timed-releases/{id}"): Operation("P", "Timed release", _release),
    ("GET", "/timed-releases/{id}/challenge"): Operation("C", "Timed release", _release),
    ("POST", "/timed-releases/{id}/enter"): Operation(
        "C", "Timed release", _release, lambda side: side.members_release.pk
    ),
    ("POST", "/timed-releases/{id}/leave"): Operation("C", "Timed release", _release, body=_claims),
    ("GET", "/timed-releases/{id}/status"): Operation("C", "Timed release", _release, body=_claims),
    ("POST", "/timed-releases/{id}/complete"): Operation("S", "Timed release", _release, body=_claimed),
    ("POST", "/timed-releases/{id}/deny"): Operation(
        "S", "Timed release", _release, body=_claimed_and_to_be_denied
    ),
    ("POST", "/timed-releases/{id}/validate"): Operation(
        "S", "Timed release", _release, body=_claimed_with_token
    ),
    ("GET", "/waitlists/{id}"): Operation("P", "Waitlist", _waitlist),
    ("GET", "/waitlists/{id}/challenge"): Operation("C", "Waitlist", _waitlist),
    ("POST", "/waitlists/{id}/enter"): Operation(
        "C", "Waitlist", _waitlist, lambda side: side.members_waitlist.pk
    ),
    ("GET", "/waitlists/{id}/status"): Operation("C", "Waitlist", _waitlist),
    ("DELETE", "/waitlists/{id}/leave"): Operation("C", "Waitlist", _waitlist, body=_waits),
    ("GET", "/appointments/{id}"): Operation("P", "Appointment", _appointment),
    ("GET", "/appointments/{id}/challenge"): Operation("C", "Appointment", _appointment),
    ("GET", "/appointments/{id}/slots"): Operation("P", "Appointment", _appointment, query=_DAY),
    ("POST", "/appointments/{id}/book"): Operation(
        "C", "Appointment", _appointment, lambda side: side.members_appointment.pk, body=_to_book
    ),
    ("POST", "/appointments/{id}/rebook"): Operation(
        "C", "Appointment", _appointment, lambda side: side.members_appointment.pk, body=_to_rebook
    ),
    ("DELETE", "/appointments/{id}/cancel"): Operation("C", "Appointment", _appointment, body=_books),
    ("GET", "/appointments/{id}/status"): Operation("C", "Appointment", _appointment, body=_books),
    ("GET", "/appointments/{id}/bookings/{booking_id}.ics"): Operation(
        "C", "Appointment", _appointment, body=_names_booking
    ),
    ("POST", "/appointments/{id}/complete"): Operation("S", "Appointment", _appointment, body=_booked),
    ("POST", "/appointments/{id}/deny"): Operation(
        "S", "Appointment", _appointment, body=_booked_and_to_be_denied
    ),
    ("POST", "/appointments/{id}/validate"): Operation(
        "S", "Appointment", _appointment, body=_booked_with_token
    ),
    ("GET", "/consumers/me"): Operation("C"),
    ("GET", "/consumers/{id}"): Operation("S", "Consumer", lambda side: side.person),
}


def walk() -> Iterator[tuple[str, str, Any]]:
    """Method, path under `/api/v1`, and view of every address there; `*` for a plain view. HEAD is GET."""
    for route, view in _patterns(get_resolver().url_patterns, ""):
        if route.startswith(BASE):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", "/" + route.removeprefix(BASE))
            for method in (getattr(view, "actions", None) or {"*": ""}).keys() - {"head"}:
                yield method.upper(), path, view


def _patterns(entries: list[Any], start: str) -> Iterator[tuple[str, Any]]:
    for entry in entries:
        route = start + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            yield route, entry.callback
