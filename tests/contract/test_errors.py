"""The contract's table of errors, row by row: its words, status, headers and additional fields.

Each is caused through HTTP. Words that the schema has and this table has not make it fail.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from experiences.models import AudienceMember
from fanfare import clock as time
from tests.api.mailbox import ADA, get_code, verify, wrong
from tests.api.servers import postgresql_away
from tests.contract import conformance
from tests.world import EXCHANGE, World, assert_error, make_queue, path_of

Cause = Callable[[World, Any], Any]
UNKNOWN = "00000000000000000000000000"


def unknown(thing: str) -> Cause:
    return lambda world, clock: world.server().get(thing)


def validate(world: World, clock: Any, **headers: str) -> Any:
    """The shop's server shows an admission, and the device that the shopper shows it."""
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
    body = {"consumerId": guest.id, "token": guest.status(queue).json()["admissionToken"]}
    return world.server().post(f"/queues/{queue.pk}/validate", body, **headers)


def enter(**queue: Any) -> Cause:
    return lambda world, clock: world.consumer().enter(world.queue(**queue))


def enter_draw(**draw: Any) -> Cause:
    return lambda world, clock: world.consumer().enter(world.draw(**draw))


def enter_paused_draw(world: World, clock: Any) -> Any:
    draw = world.draw()
    draw.paused_at = time.now()
    draw.save(update_fields=["paused_at"])
    return world.consumer().enter(draw)


def enter_drawn(world: World, clock: Any) -> Any:
    draw, guest = world.draw(draws_in=5), world.consumer()
    clock.shift(5)
    return guest.enter(draw)


def enter_full_draw(world: World, clock: Any) -> Any:
    draw = world.draw(capacity=1)
    world.consumer().enter(draw)
    return world.consumer().enter(draw)


def claim(**release: Any) -> Cause:
    """Somebody claims a unit after somebody else."""

    def cause(world: World, clock: Any) -> Any:
        made = world.release(**release)
        world.consumer().enter(made)
        return world.consumer().enter(made)

    return cause


def claim_late(world: World, clock: Any) -> Any:
    release, guest = world.release(closes_in=5), world.consumer()
    clock.shift(5)
    return guest.enter(release)


def claim_while_paused(world: World, clock: Any) -> Any:
    release = world.release()
    release.paused_at = time.now()
    release.save(update_fields=["paused_at"])
    return world.consumer().enter(release)


def wait(**waitlist: Any) -> Cause:
    """Somebody enters a waitlist after somebody else."""

    def cause(world: World, clock: Any) -> Any:
        made = world.waitlist(**waitlist)
        world.consumer().enter(made)
        return world.consumer().enter(made)

    return cause


def tomorrow() -> dict[str, str]:
    """A slot to be booked."""
    return {"slotTime": (time.now() + dt.timedelta(days=1)).isoformat()}


def book(**appointment: Any) -> Cause:
    """Somebody books a slot after somebody else."""

    def cause(world: World, clock: Any) -> Any:
        path = path_of(world.appointment(**appointment))
        world.consumer().post(f"{path}/book", tomorrow())
        return world.consumer().post(f"{path}/book", tomorrow())

    return cause


def wait_while_paused(world: World, clock: Any) -> Any:
    waitlist = world.waitlist()
    waitlist.paused_at = time.now()
    waitlist.save(update_fields=["paused_at"])
    return world.consumer().enter(waitlist)


def book_late(world: World, clock: Any) -> Any:
    path, guest = path_of(world.appointment(closes_in=5)), world.consumer()
    clock.shift(5)
    return guest.post(f"{path}/book", {"slotTime": "2026-12-03T09:00:00Z"})


def book_while_paused(world: World, clock: Any) -> Any:
    appointment = world.appointment()
    appointment.paused_at = time.now()
    appointment.save(update_fields=["paused_at"])
    return world.consumer().post(f"{path_of(appointment)}/book", tomorrow())


def book_once_more(world: World, clock: Any) -> Any:
    path, guest = path_of(world.appointment()), world.consumer()
    guest.post(f"{path}/book", tomorrow())
    return guest.post(f"{path}/book", {"slotTime": "2026-12-03T09:00:00Z"})


def cancel_late(world: World, clock: Any) -> Any:
    path, guest = path_of(world.appointment(latest_cancellation_minutes=24 * 60 + 1)), world.consumer()
    guest.post(f"{path}/book", tomorrow())
    return guest.delete(f"{path}/cancel")


def bid(amount: str, **auction: Any) -> Cause:
    """Somebody bids after a bid of 100.00, the least next one being 110.00."""

    def cause(world: World, clock: Any) -> Any:
        made = world.auction(**auction)
        world.consumer().bid(made, "100.00")
        return world.consumer().bid(made, amount)

    return cause


def bid_late(world: World, clock: Any) -> Any:
    auction, guest = world.auction(ends_in=5), world.consumer()
    clock.shift(5)
    return guest.bid(auction, "100.00")


def reuse_key(world: World, clock: Any) -> Any:
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00", key="one")
    return guest.bid(auction, "110.00", key="one")


def enter_paused(world: World, clock: Any) -> Any:
    queue = world.queue()
    queue.paused_at = time.now()
    queue.save(update_fields=["paused_at"])
    return world.consumer().enter(queue)


def enter_closed(world: World, clock: Any) -> Any:
    queue, guest = world.queue(closes_in=5), world.consumer()
    clock.shift(5)
    return guest.enter(queue)


def enter_full(world: World, clock: Any) -> Any:
    queue = world.queue(capacity=1)
    world.consumer().enter(queue)
    return world.consumer().enter(queue)


def enter_with(**conditions: bool) -> Cause:
    """A member enters a queue whose sequence asks for more than that."""

    def cause(world: World, clock: Any) -> Any:
        sequence = world.sequence_with("asking", **conditions)
        AudienceMember.objects.create(sequence=sequence, key="email:somebody-else@example.com")
        return world.member(ADA).enter(make_queue(sequence))

    return cause


def complete_who_left(world: World, clock: Any) -> Any:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    guest.leave(queue)
    return world.server().post(f"/queues/{queue.pk}/complete", {"consumerId": guest.id})


def ask_too_often(world: World, clock: Any) -> Any:
    world.organization.rate_limits = {"authentication": 1}
    world.organization.save()
    world.shop_front().post("/auth/guest")
    return world.shop_front().post("/auth/guest")


def show_wrong_code(world: World, clock: Any) -> Any:
    return verify(world, wrong(get_code(world)))


def show_late_code(world: World, clock: Any) -> Any:
    code = get_code(world)
    clock.shift(settings.OTP_SECONDS)
    return verify(world, code)


def exchange_late(world: World, clock: Any) -> Any:
    code = world.authorize("customer-7").json()["exchangeCode"]
    clock.shift(settings.EXCHANGE_CODE_SECONDS)
    return world.shop_front().post(EXCHANGE, {"exchangeCode": code})


def ask_without_postgresql(world: World, clock: Any) -> Any:
    with postgresql_away():
        return world.shop_front().get("/organizations/current")


def too_long(world: World, clock: Any) -> Any:
    return world.shop_front().send("POST", "/auth/guest", b" " * 65_537)


# (error, code, status) and what causes it; then what the answer has beside.
ROWS: dict[tuple[str, str, int], Cause] = {
    ("Authentication required", "AUTHENTICATION_REQUIRED", 401): lambda world, clock: world.shop_front().get(
        "/organizations/current", **{"X-Publishable-Key": "pk_live_x"}
    ),
    ("Secret key required", "SECRET_KEY_REQUIRED", 401): lambda world, clock: world.consumer().get(
        f"/consumers/cons_{UNKNOWN}"
    ),
    ("Consumer ID is required", "CONSUMER_REQUIRED", 400): lambda world, clock: world.shop_front().get(
        "/consumers/me"
    ),
    ("Validation failed", "VALIDATION_FAILED", 400): lambda world, clock: world.shop_front().post(
        EXCHANGE, {"exchangeCode": 5}
    ),
    ("Queue not found", "QUEUE_NOT_FOUND", 404): unknown(f"/queues/queue_{UNKNOWN}"),
    ("Experience not found", "EXPERIENCE_NOT_FOUND", 404): unknown(f"/experiences/exp_{UNKNOWN}"),
    ("Consumer not found", "CONSUMER_NOT_FOUND", 404): unknown(f"/consumers/cons_{UNKNOWN}"),
    ("Consumer not in queue", "CONSUMER_NOT_IN_QUEUE", 404): lambda world, clock: world.consumer().status(
        world.queue()
    ),
    ("Queue is not open yet", "QUEUE_NOT_OPEN", 423): enter(opens_in=90),
    ("Queue is full", "QUEUE_FULL", 429): enter_full,
    ("Queue is closed", "QUEUE_CLOSED", 400): enter_closed,
    ("Queue is closed", "QUEUE_PAUSED", 400): enter_paused,
    ("Draw not found", "DRAW_NOT_FOUND", 404): unknown(f"/draws/draw_{UNKNOWN}"),
    ("Consumer not in draw", "CONSUMER_NOT_IN_DRAW", 404): lambda world, clock: world.consumer().status(
        world.draw()
    ),
    ("Draw is not open yet", "DRAW_NOT_OPEN", 423): enter_draw(opens_in=30),
    ("Draw is full", "DRAW_FULL", 429): enter_full_draw,
    ("Draw is closed", "DRAW_CLOSED", 400): enter_drawn,
    ("Draw is closed", "DRAW_PAUSED", 400): enter_paused_draw,
    ("Auction not found", "AUCTION_NOT_FOUND", 404): unknown(f"/auctions/auction_{UNKNOWN}"),
    ("Consumer not in auction", "CONSUMER_NOT_IN_AUCTION", 404): lambda world, clock: world.consumer().status(
        world.auction()
    ),
    ("Auction is not open yet", "AUCTION_NOT_OPEN", 423): bid("100.00", opens_in=30),
    ("Auction is closed", "AUCTION_CLOSED", 400): bid_late,
    ("Bid must be higher than current bid", "BID_TOO_LOW", 400): bid("100.00"),
    ("Bid must meet minimum increment", "BID_BELOW_INCREMENT", 400): bid("109.99"),
    ("Idempotency key reused", "IDEMPOTENCY_KEY_REUSED", 409): reuse_key,
    ("Timed release not found", "TIMED_RELEASE_NOT_FOUND", 404): unknown(
        f"/timed-releases/release_{UNKNOWN}"
    ),
    ("Consumer not in timed release", "CONSUMER_NOT_IN_TIMED_RELEASE", 404): lambda world, clock: (
        world.consumer().status(world.release())
    ),
    ("Timed release is not open yet", "TIMED_RELEASE_NOT_OPEN", 423): claim(opens_in=30),
    ("Timed release is sold out", "TIMED_RELEASE_SOLD_OUT", 429): claim(inventory=1, claim_seconds=60),
    ("Timed release is closed", "TIMED_RELEASE_CLOSED", 400): claim_late,
    ("Timed release is closed", "TIMED_RELEASE_PAUSED", 400): claim_while_paused,
    ("Waitlist not found", "WAITLIST_NOT_FOUND", 404): unknown(f"/waitlists/wl_{UNKNOWN}"),
    ("Consumer not in waitlist", "CONSUMER_NOT_IN_WAITLIST", 404): lambda world, clock: (
        world.consumer().delete(f"/waitlists/{world.waitlist().pk}/leave")
    ),
    ("Waitlist is not open yet", "WAITLIST_NOT_OPEN", 423): wait(opens_in=30),
    ("Waitlist is full", "WAITLIST_FULL", 429): wait(capacity=1),
    ("Waitlist is closed", "WAITLIST_CLOSED", 400): wait(closes_in=0),
    ("Waitlist is closed", "WAITLIST_PAUSED", 400): wait_while_paused,
    ("Appointment not found", "APPOINTMENT_NOT_FOUND", 404): unknown(f"/appointments/appt_{UNKNOWN}"),
    ("Consumer not in appointment", "CONSUMER_NOT_IN_APPOINTMENT", 404): lambda world, clock: (
        world.consumer().status(world.appointment())
    ),
    ("Appointment is not open yet", "APPOINTMENT_NOT_OPEN", 423): book(opens_in=30),
    ("Appointment is closed", "APPOINTMENT_CLOSED", 400): book_late,
    ("Appointment is closed", "APPOINTMENT_PAUSED", 400): book_while_paused,
    ("Slot not found", "SLOT_NOT_FOUND", 404): book(opening_hours={}),
    ("Slot is full", "SLOT_FULL", 409): book(),
    ("Booking limit reached", "BOOKING_LIMIT_REACHED", 409): book_once_more,
    ("Booking not found", "BOOKING_NOT_FOUND", 404): lambda world, clock: world.consumer().delete(
        f"{path_of(world.appointment())}/cancel"
    ),
    ("Too late to cancel", "TOO_LATE_TO_CANCEL", 409): cancel_late,
    ("Proof not found", "PROOF_NOT_FOUND", 404): lambda world, clock: world.shop_front().get(
        f"/queues/{world.queue().pk}/proof"
    ),
    ("Illegal transition", "ILLEGAL_TRANSITION", 409): complete_who_left,
    ("Sign-in required", "SIGN_IN_REQUIRED", 403): enter(supports_guest=False),
    ("Access code required", "ACCESS_CODE_REQUIRED", 403): enter_with(requires_access_code=True),
    ("Not eligible", "NOT_ELIGIBLE", 403): enter_with(requires_audience=True),
    ("FINGERPRINT_REQUIRED", "FP001", 400): lambda world, clock: world.consumer().enter(
        world.queue(), **{"X-Fingerprint": ""}
    ),
    ("Proof of work required", "PROOF_OF_WORK_REQUIRED", 400): enter(proof_of_work=1),
    ("Proof of work invalid", "PROOF_OF_WORK_INVALID", 400): lambda world, clock: world.consumer().enter(
        world.queue(proof_of_work=1), **{"X-Altcha": "x"}
    ),
    ("DEVICE_MISMATCH", "FP002", 403): lambda world, clock: validate(
        world, clock, **{"X-Fingerprint": "fp_another-device"}
    ),
    ("Rate limit exceeded", "RATE_LIMIT_EXCEEDED", 429): ask_too_often,
    ("otp_invalid", "OTP_INVALID", 401): show_wrong_code,
    ("otp_expired", "OTP_EXPIRED", 401): show_late_code,
    ("invalid refresh token", "INVALID_REFRESH_TOKEN", 401): lambda world, clock: world.shop_front().post(
        "/auth/refresh", {"refreshToken": "x"}
    ),
    ("invalid_exchange_code", "INVALID_EXCHANGE_CODE", 401): lambda world, clock: world.shop_front().post(
        EXCHANGE, {"exchangeCode": "x"}
    ),
    ("exchange_code_expired", "EXCHANGE_CODE_EXPIRED", 401): exchange_late,
    ("Service unavailable", "SERVICE_UNAVAILABLE", 503): ask_without_postgresql,
    # HTTP's own, which the contract says in words.
    ("Unsupported media type", "UNSUPPORTED_MEDIA_TYPE", 415): lambda world, clock: world.shop_front().send(
        "POST", "/auth/guest", b"x", "text/plain"
    ),
    ("Body too large", "BODY_TOO_LARGE", 413): too_long,
}
RETRIED = {423, 429, 503}
HEADERS = {"FP001": "X-Fingerprint-Error", "FP002": "X-Fingerprint-Mismatch"}
FIELDS = {
    "QUEUE_NOT_OPEN": {"openAt"},
    "DRAW_NOT_OPEN": {"openAt"},
    "AUCTION_NOT_OPEN": {"openAt"},
    "TIMED_RELEASE_NOT_OPEN": {"openAt"},
    "WAITLIST_NOT_OPEN": {"openAt"},
    "APPOINTMENT_NOT_OPEN": {"openAt"},
    "BID_TOO_LOW": {"details", "minimumNextBid"},
    "BID_BELOW_INCREMENT": {"details", "minimumNextBid"},
    "ILLEGAL_TRANSITION": {"status"},
    "VALIDATION_FAILED": {"details"},
}
# The conditions of a sequence say in `details` what each of its ways in needs.
OPTIONAL = {"details"}
# Told elsewhere: a chunked body needs a real server; an expired token stands in `test_tokens`.
ELSEWHERE = {("Length required", "LENGTH_REQUIRED", 411), ("Authentication required", "TOKEN_EXPIRED", 401)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[1]))
def test_a_row_of_the_table(world: World, clock: Any, row: tuple[str, str, int]) -> None:
    error, code, status = row
    answer = ROWS[row](world, clock)
    body = assert_error(answer, status, error, code)
    expected = {"error", "code", "message", "requestId"} | FIELDS.get(code, set())
    if status in RETRIED:
        expected.add("retryAfter")
        assert int(answer.headers["Retry-After"]) == body["retryAfter"] > 0
    assert set(body) - (OPTIONAL - expected) == expected
    for name in HEADERS.values():
        assert (answer.headers.get(name) == "true") == (HEADERS.get(code) == name)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


def test_the_schema_has_no_other_words() -> None:
    found = {
        (example["value"]["error"], example["value"]["code"], int(status))
        for operations in conformance.document()["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        for example in content.get("examples", {}).values()
    }
    assert found == set(ROWS) | ELSEWHERE
