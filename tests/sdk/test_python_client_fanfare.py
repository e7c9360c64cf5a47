"""The Python client before Fanfare itself: real keys, real tokens, all kinds, awaited and not."""

import datetime as dt
import inspect
import logging
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import fanfare_client
import pytest
from fanfare_client import (
    Client,
    FanfareError,
    IllegalMove,
    NotAuthenticated,
    NotFound,
    TokenExpired,
    TokenInvalid,
    Unavailable,
)

from consumers import signing
from distributions.core.models import Distribution
from experiences import keys
from experiences.models import ApiKey
from fanfare import clock as time
from tests.api.lots import freeze_and_draw
from tests.api.servers import postgresql_away
from tests.sdk.shops import JWKS, KINDS, Fanfare, client_of
from tests.world import EXCHANGE, FINGERPRINT, ConsumerClient, World, make_world, path_of

In = tuple[Distribution, ConsumerClient, str]  # where, who, and their token
OTHER_DEVICE = "fp_another-device"


@pytest.fixture
def fanfare() -> Fanfare:
    return Fanfare()


@pytest.fixture(params=KINDS)
def shop(request: Any, world: World, fanfare: Fanfare) -> Iterator[Any]:
    with client_of(request.param, fanfare, world.secret) as client:
        yield client


def admitted(world: World, queue: Distribution) -> tuple[ConsumerClient, str]:
    """A guest in the queue whom the shop admitted, and the token that their browser has."""
    guest = world.consumer()
    assert guest.enter(queue).json()["status"] == "QUEUED"
    world.server().post(f"{path_of(queue)}/admit", {"consumerId": guest.id})
    return guest, guest.status(queue).json()["admissionToken"]


def in_queue(world: World) -> In:
    queue = world.queue(session_seconds=600)
    return queue, *admitted(world, queue)


def in_release(world: World) -> In:
    release, guest = world.release(inventory=1), world.consumer()
    return release, guest, guest.enter(release).json()["admissionToken"]


def in_draw(world: World) -> In:
    draw, guest = world.draw(), world.consumer()
    guest.enter(draw)
    freeze_and_draw(draw)
    return draw, guest, guest.status(draw).json()["admissionToken"]


def in_auction(world: World) -> In:
    auction, guest = world.auction(buy_now_price=50_000), world.consumer()
    body = guest.bid(auction, "500.00").json()
    return auction, guest, body["admissionToken"]


def at_appointment(world: World) -> In:
    appointment, guest = world.appointment(), world.consumer()
    start = (time.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    body = guest.post(f"{path_of(appointment)}/book", {"slotTime": start.isoformat()}).json()
    return appointment, guest, body["admissionToken"]


WAYS_IN = [in_queue, in_release, in_draw, in_auction, at_appointment]


@pytest.mark.parametrize("come_in", WAYS_IN)
def test_every_kind_from_the_token_to_the_order(
    world: World, shop: Any, come_in: Callable[[World], In]
) -> None:
    place, guest, token = come_in(world)
    found = shop.check(token, distribution_id=place.pk, consumer_id=guest.id)
    assert (found.consumer_id, found.distribution_type) == (guest.id, place.kind)
    assert (found.organization_id, found.sequence_id) == (world.organization.id, world.sequence.id)

    verdict = shop.validate(place.pk, guest.id, token, FINGERPRINT)
    assert (verdict.valid, verdict.code, verdict.consumer_id) == (True, None, guest.id)
    assert verdict.admitted_at.replace(microsecond=0) == found.admitted_at
    assert (verdict.expires_at is None) == (found.expires_at is None)
    assert (verdict.amount, verdict.currency_code) == (
        ("500.00", "EUR") if come_in is in_auction else (None, None)
    )
    assert (verdict.booking_id is not None) == (verdict.start_time is not None) == (come_in is at_appointment)

    done = shop.complete(place.pk, guest.id, order_id="A-1", booking_id=verdict.booking_id)
    assert (done.status, done.consumer_id) == ("COMPLETED", guest.id)
    assert done.completed_at >= done.admitted_at >= done.entered_at
    assert guest.status(place).json()["status"] == "COMPLETED"
    assert shop.complete(place.pk, guest.id, order_id="A-1", booking_id=verdict.booking_id) == done
    used = shop.validate(place.pk, guest.id, token, FINGERPRINT)
    assert (used.valid, used.code) == (False, "TOKEN_USED")


def test_admit_and_deny(world: World, shop: Any) -> None:
    queue, guest = world.queue(), world.consumer()
    inside = shop.admit(queue.pk, guest.id)
    assert (inside.status, inside.body["position"]) == ("ADMITTED", 0)
    assert shop.check(inside.admission_token, distribution_id=queue.pk).consumer_id == guest.id
    assert inside.admission_token not in repr(inside)
    out = shop.deny(queue.pk, guest.id, reason="FRAUD_DETECTED")
    assert (out.status, out.deny_reason) == ("DENIED", "FRAUD_DETECTED")
    with pytest.raises(IllegalMove) as caught:
        shop.complete(queue.pk, guest.id)
    assert (caught.value.status, caught.value.body["status"]) == (409, "DENIED")


def test_one_booking_of_several(world: World, shop: Any) -> None:
    appointment, guest = world.appointment(max_bookings_per_consumer=2), world.consumer()
    start = (time.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    first, second = (
        guest.post(f"{path_of(appointment)}/book", {"slotTime": (start + dt.timedelta(hours=n)).isoformat()})
        for n in (0, 2)
    )
    named = second.json()["bookingId"]
    done = shop.deny(appointment.pk, guest.id, reason="OURS", booking_id=named)
    assert (done.body["bookingId"], done.deny_reason) == (named, "OURS")
    assert shop.validate(appointment.pk, guest.id, first.json()["admissionToken"], FINGERPRINT).valid


def test_a_customer_of_the_shop(world: World, shop: Any) -> None:
    claims = {"email": "grace@example.com", "email_verified": True, "name": "Grace"}
    named = shop.authorize("shop", "https://shop.example.com", "4711", claims)
    assert named.resolution == "created" and named.code not in repr(named)
    assert named.expires_at > time.now()
    grace = world.signed_in(world.shop_front().post(EXCHANGE, {"exchangeCode": named.code}))
    assert shop.authorize("shop", "https://shop.example.com", "4711").resolution == "existing"
    found = shop.consumer(grace.id)
    assert (found.id, found.email, found.full_name) == (grace.id, "grace@example.com", "Grace")
    assert not found.is_guest and found.created_at <= time.now()
    shops = {"provider": "shop", "issuer": "https://shop.example.com", "subject": "4711"}
    assert shops in found.external_ids


def test_what_check_refuses(world: World, shop: Any, clock: Any) -> None:
    queue, guest, token = in_queue(world)
    other = world.queue()
    cases: list[tuple[Callable[[], Any], str]] = [
        (lambda: shop.check(token, distribution_id=other.pk), "WRONG_DISTRIBUTION"),
        (lambda: shop.check(token, distribution_id=queue.pk, consumer_id="cons_x"), "CONSUMER_MISMATCH"),
        (lambda: shop.check(guest.token, distribution_id=queue.pk), "TOKEN_INVALID"),
        (lambda: shop.check(token[:-4] + "AAAA", distribution_id=queue.pk), "TOKEN_INVALID"),
        (lambda: shop.check(in_queue(make_world())[2], distribution_id=queue.pk), "TOKEN_INVALID"),
    ]
    for wrong, code in cases:
        with pytest.raises(TokenInvalid) as caught:
            wrong()
        assert caught.value.code == code
    clock.shift(604)  # within the leeway
    assert shop.check(token, distribution_id=queue.pk)
    clock.shift(1)
    with pytest.raises(TokenExpired):
        shop.check(token, distribution_id=queue.pk)
    assert shop.validate(queue.pk, guest.id, token, FINGERPRINT).code == "TOKEN_EXPIRED"


def test_the_keys_rotate(world: World, shop: Any, fanfare: Fanfare) -> None:
    queue, _, old = in_queue(world)
    for _ in range(3):
        shop.check(old, distribution_id=queue.pk)
    assert fanfare.asked.count(JWKS) == 1
    signing.rotate(now=time.now())
    _, new = admitted(world, queue)
    assert signing.kid_of(new) != signing.kid_of(old)
    for token in (old, new, old):
        shop.check(token, distribution_id=queue.pk)
    assert fanfare.asked.count(JWKS) == 2


def test_a_revoked_signing_key_is_gone_with_the_next_fetch(world: World, shop: Any) -> None:
    queue, _, old = in_queue(world)
    shop.check(old, distribution_id=queue.pk)
    signing.rotate(now=time.now(), revoke_old=True)
    _, new = admitted(world, queue)
    shop.check(new, distribution_id=queue.pk)
    with pytest.raises(TokenInvalid):
        shop.check(old, distribution_id=queue.pk)


def test_a_revoked_secret_key(world: World, shop: Any, fanfare: Fanfare) -> None:
    queue, guest, token = in_queue(world)
    key = ApiKey.objects.get(organization=world.organization, kind="secret")
    keys.revoke(key, now=time.now(), actor="system:test")
    calls: list[Callable[[], Any]] = [
        lambda: shop.validate(queue.pk, guest.id, token, FINGERPRINT),
        lambda: shop.consumer(guest.id),
        lambda: shop.check(token, distribution_id=queue.pk),
        lambda: shop.check(token, distribution_id=queue.pk),
    ]
    for call in calls:
        with pytest.raises(NotAuthenticated) as caught:
            call()
        assert (caught.value.status, caught.value.code) == (401, "AUTHENTICATION_REQUIRED")
    assert len(fanfare.asked) == 3  # none was worth a second try, and the last none at all


def test_the_device(world: World, shop: Any) -> None:
    queue, guest, token = in_queue(world)
    with pytest.raises(FanfareError) as caught:
        shop.validate(queue.pk, guest.id, token, OTHER_DEVICE)
    assert (caught.value.status, caught.value.code) == (403, "FP002")
    for wrong in (None, "", "fp_short", "fp_0123456789\r\nX-Evil: 1", "fp_0123456789é"):
        with pytest.raises(FanfareError) as caught:
            shop.validate(queue.pk, guest.id, token, wrong)
        assert (caught.value.status, caught.value.code) == (400, "FP001")


def test_ids_that_are_none(world: World, shop: Any, fanfare: Fanfare) -> None:
    queue, guest, token = in_queue(world)
    with pytest.raises(NotFound) as caught:
        shop.validate(make_world().queue().pk, guest.id, token, FINGERPRINT)
    assert (caught.value.status, caught.value.code) == (404, "QUEUE_NOT_FOUND")
    with pytest.raises(NotFound) as caught:
        shop.complete(queue.pk, world.consumer().id)
    assert caught.value.code == "CONSUMER_NOT_IN_QUEUE"
    before = len(fanfare.asked)
    for wrong in ("", "queue", "wl_" + "0" * 26, f"{queue.pk}/../x", queue.pk.lower(), None):
        with pytest.raises(NotFound):
            shop.complete(wrong, guest.id)
        with pytest.raises(NotFound):
            shop.consumer(wrong)
    assert len(fanfare.asked) == before


def test_what_is_wrong_with_a_body_is_told(world: World, shop: Any) -> None:
    queue, guest, _ = in_queue(world)
    with pytest.raises(FanfareError) as caught:
        shop.deny(queue.pk, guest.id, reason="x" * 201)
    assert (caught.value.status, caught.value.code) == (400, "VALIDATION_FAILED")
    assert [detail["field"] for detail in caught.value.details] == ["reason"]


def test_postgresql_is_away(world: World, fanfare: Fanfare) -> None:
    queue, guest, token = in_queue(world)
    slept: list[float] = []
    made = client_of(Client, fanfare, world.secret, sleep=slept.append)
    with made as shop, postgresql_away(), pytest.raises(Unavailable) as caught:
        shop.validate(queue.pk, guest.id, token, FINGERPRINT)
    assert (caught.value.status, caught.value.code) == (503, "SERVICE_UNAVAILABLE")
    assert caught.value.retry_after == 2
    assert (len(fanfare.asked), len(slept)) == (3, 2) and min(slept) >= 2


def test_the_key_is_told_to_nobody(world: World, shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    queue, guest, token = in_queue(world)
    shop.check(token, distribution_id=queue.pk)
    shop.validate(queue.pk, guest.id, token, FINGERPRINT)
    with pytest.raises(FanfareError) as caught:
        shop.consumer("cons_" + "0" * 26)
    client = getattr(shop, "client", shop)
    shown = [repr(client), repr(vars(client)), str(caught.value), repr(vars(caught.value)), caplog.text]
    assert caplog.text
    assert [text for text in shown if world.secret in text] == []


def test_the_example_works_by_copying(world: World, live_server: Any, monkeypatch: Any) -> None:
    text = inspect.getdoc(fanfare_client) or ""
    lines = [line for line in text.splitlines() if line.startswith("    ") or not line]
    monkeypatch.setenv("FANFARE_SHOP_KEY", world.secret)
    monkeypatch.setenv("FANFARE_URL", live_server.url)
    example: dict[str, Any] = {}
    exec(textwrap.dedent("\n".join(lines)), example)
    queue, guest, token = in_queue(world)
    assert example["show_checkout"](queue.pk, guest.id, token)
    assert not example["show_checkout"](queue.pk, guest.id, guest.token)
    asked = (queue.pk, guest.id, token)
    assert "FP002" in example["buy"](*asked, OTHER_DEVICE, "A-1")
    assert example["buy"](*asked, FINGERPRINT, "A-1") == "Thank you!"
    assert guest.status(queue).json()["status"] == "COMPLETED"
    assert example["buy"](*asked, FINGERPRINT, "A-1") == "Sorry: The admission is completed."
    example["fanfare"].close()
