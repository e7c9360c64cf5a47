"""`POST /timed-releases/:id/enter`: whoever comes while it is open and in stock has a unit at once."""

from typing import Any

import jwt
import pytest

from distributions.core import switches
from distributions.core.models import Distribution, Participation, Tally
from experiences.models import AudienceMember, Event
from fanfare import clock as time
from tests.api.mailbox import ADA
from tests.api.test_rate_limits import START, numbers, set_limits
from tests.releases import claim, claimed, move, require_sold_out, require_true_stock, shown, units
from tests.world import FINGERPRINT, World, assert_error, make_release, path_of


def test_who_enters_is_admitted_at_once(world: World, clock: Any) -> None:
    release, first, second = world.release(claim_seconds=600), world.consumer(), world.consumer()
    first.enter(release)
    answer = second.post(f"{path_of(release)}/enter", {"metadata": {"size": 42}})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    body = answer.json()
    token = jwt.decode(body.pop("admissionToken"), options={"verify_signature": False})
    assert body == {
        "status": "ADMITTED",
        "consumerId": second.id,
        "timedReleaseId": release.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "admittedAt": "2026-12-01T09:00:00Z",
        "expiresAt": "2026-12-01T09:10:00Z",
    }
    assert (token["sub"], token["distributionId"]) == (second.id, release.pk)
    assert (token["distributionType"], token["exp"] - token["iat"]) == ("timed_release", 600)
    assert Participation.objects.get(consumer_id=second.id).metadata == {"size": 42}
    (event,) = Event.objects.filter(distribution_id=release.pk, consumer_id=second.id)
    assert (event.name, event.actor) == ("timed_release.consumer.entered", f"consumer:{second.id}")
    assert event.data == {"to": "ADMITTED", "place": 2}
    require_true_stock(release)


def test_without_claim_seconds_it_never_ends(world: World, clock: Any) -> None:
    release, guest = world.release(inventory=1), world.consumer()
    body = claim(release, guest)
    assert "expiresAt" not in body
    assert "exp" not in jwt.decode(body["admissionToken"], options={"verify_signature": False})
    clock.shift(10**7)
    guest = world.signed_in(world.shop_front().post("/auth/guest"))
    require_sold_out(guest.enter(release), 15)


def test_entering_again_finds_the_same(world: World, clock: Any) -> None:
    release, guest = world.release(inventory=1, claim_seconds=600), world.consumer()
    first = claim(release, guest)
    for _ in range(2):
        clock.shift(100)
        assert guest.post(f"{path_of(release)}/enter", {"metadata": {"new": True}}).json() == first
        assert guest.status(release).json() == first
    assert Participation.objects.get().metadata is None
    assert Event.objects.filter(distribution_id=release.pk).count() == 1
    assert require_true_stock(release).entered == 1


# --- Stock ----------------------------------------------------------------------------------------
def test_sold_out_tells_when_the_next_claim_ends(world: World, clock: Any) -> None:
    release, late = world.release(inventory=2, claim_seconds=60), world.consumer()
    (first,) = claimed(release, world, 1)
    clock.shift(10.5)
    (second,) = claimed(release, world, 1)
    require_sold_out(late.enter(release), 50)  # 49.5, rounded up
    assert move(world, release, "complete", first).status_code == 200
    require_sold_out(late.enter(release), 60)
    assert claim(release, second)  # who has one is not refused
    assert move(world, release, "complete", second).status_code == 200
    require_sold_out(late.enter(release), None)
    assert not Participation.objects.filter(consumer_id=late.id).exists()
    assert require_true_stock(release).taken == 2
    assert second.enter(release).json()["status"] == "COMPLETED"


def test_nobody_waits_for_what_comes_back_after_the_closing(world: World, clock: Any) -> None:
    release, late = world.release(inventory=1, claim_seconds=60, closes_in=90), world.consumer()
    (first,) = claimed(release, world, 1)
    require_sold_out(late.enter(release), 60)
    assert move(world, release, "deny", first).status_code == 200
    clock.shift(31)
    claimed(release, world, 1)
    require_sold_out(late.enter(release), None)


def test_no_inventory_at_all(world: World, clock: Any) -> None:
    release = world.release(inventory=0, claim_seconds=60)
    require_sold_out(world.consumer().enter(release), None)
    assert (shown(world, release)["inventory"], shown(world, release)["available"]) == (0, 0)
    assert require_true_stock(release).entered == 0


def test_any_number(world: World, clock: Any) -> None:
    release = world.release()
    claimed(release, world, 3)
    body = shown(world, release)
    assert (body["inventory"], body["available"]) == (None, None)


def test_staff_change_the_inventory(world: World, clock: Any) -> None:
    release, late = world.release(inventory=3, claim_seconds=60), world.consumer()
    one, two, _ = claimed(release, world, 3)
    rows = Tally.objects.filter(pk=release.pk)
    rows.update(places=1)  # fewer than are held
    assert shown(world, release)["available"] == 0
    for who in (one, two):
        who.leave(release)
        require_sold_out(late.enter(release), 60)
    rows.update(places=2)
    assert shown(world, release)["available"] == 1
    assert claim(release, late)
    require_true_stock(release)


def test_what_anybody_sees(world: World, clock: Any) -> None:
    release = world.release(inventory=5, claim_seconds=60, max_per_consumer=2, opens_in=-5, closes_in=600)
    one, two, three = claimed(release, world, 3)
    move(world, release, "complete", one)
    two.leave(release)
    answer = world.shop_front().get(path_of(release))
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    body = answer.json()
    assert {name: body[name] for name in ("status", "inventory", "available", "claimSeconds")} == {
        "status": "OPEN", "inventory": 5, "available": 3, "claimSeconds": 60,
    }  # fmt: skip
    assert (body["id"], body["maxPerConsumer"], body["supportsGuest"]) == (release.pk, 2, True)
    assert (body["openAt"], body["closeAt"]) == ("2026-12-01T08:59:55Z", "2026-12-01T09:10:00Z")
    assert not {three.id, one.id} & set(str(body).replace("'", " ").split())


# --- When -----------------------------------------------------------------------------------------
def test_before_the_opening_it_says_when(world: World, clock: Any) -> None:
    release, guest = world.release(opens_in=90.5), world.consumer()
    assert shown(world, release)["status"] == "PENDING"
    refused = guest.enter(release)
    body = assert_error(refused, 423, "Timed release is not open yet", "TIMED_RELEASE_NOT_OPEN")
    assert body["openAt"] == "2026-12-01T09:01:30.500000Z"
    assert (body["retryAfter"], refused.headers["Retry-After"]) == (91, "91")
    clock.shift(90.499)
    assert guest.enter(release).status_code == 423
    clock.shift(0.001)
    assert claim(release, guest)


def _by_hand(release: Distribution) -> None:
    assert switches.close(release, now=time.now(), actor="staff:1")


def _by_clock(release: Distribution) -> None:
    Distribution.objects.filter(pk=release.pk).update(close_at=time.now())


@pytest.mark.parametrize("close", [_by_hand, _by_clock])
def test_who_has_a_unit_keeps_it_after_closing(world: World, clock: Any, close: Any) -> None:
    release = world.release(inventory=5, claim_seconds=60)
    buyer, leaver, late = claimed(release, world, 3)
    clock.shift(30)
    close(release)
    assert shown(world, release)["status"] == "CLOSED"
    for one in (world.consumer(), buyer):
        assert_error(one.enter(release), 400, "Timed release is closed", "TIMED_RELEASE_CLOSED")
    assert buyer.status(release).json()["expiresAt"] == "2026-12-01T09:01:00Z"
    token = buyer.status(release).json()["admissionToken"]
    assert move(world, release, "validate", buyer, token=token).json()["valid"] is True
    assert leaver.leave(release).json()["status"] == "LEFT"
    clock.shift(29.999)
    assert late.status(release).json()["status"] == "ADMITTED"
    assert move(world, release, "complete", buyer).json()["status"] == "COMPLETED"
    clock.shift(0.001)
    assert late.status(release).json()["denyReason"] == "ADMISSION_EXPIRED"
    assert_error(leaver.enter(release), 400, "Timed release is closed", "TIMED_RELEASE_CLOSED")


def test_nobody_claims_while_it_is_paused(world: World, clock: Any) -> None:
    release, guest = world.release(claim_seconds=60), world.consumer()
    (inside,) = claimed(release, world, 1)
    assert switches.pause(release, now=time.now(), actor="staff:1")
    assert shown(world, release)["status"] == "PAUSED"
    assert_error(guest.enter(release), 400, "Timed release is closed", "TIMED_RELEASE_PAUSED")
    assert inside.status(release).json()["status"] == "ADMITTED"
    assert move(world, release, "complete", inside).json()["status"] == "COMPLETED"
    assert switches.resume(release, now=time.now(), actor="staff:1")
    assert claim(release, guest)


# --- Who ------------------------------------------------------------------------------------------
def test_guests_where_it_takes_none(world: World, clock: Any) -> None:
    release = world.release(supports_guest=False)
    assert_error(world.consumer().enter(release), 403, "Sign-in required", "SIGN_IN_REQUIRED")
    assert not Participation.objects.exists()
    assert claim(release, world.member())


def test_the_conditions_of_its_sequence(world: World, clock: Any) -> None:
    signed_in = make_release(world.sequence_with("signed-in", requires_authentication=True))
    with_code = make_release(world.sequence_with("coded", requires_access_code=True))
    listed = world.sequence_with("listed", requires_audience=True)
    AudienceMember.objects.create(sequence=listed, key=f"email:{ADA}")
    for_the_listed = make_release(listed)
    guest, ada, grace = world.consumer(), world.member(ADA), world.member("grace@example.com")
    assert_error(guest.enter(signed_in), 403, "Sign-in required", "SIGN_IN_REQUIRED")
    assert_error(grace.enter(with_code), 403, "Access code required", "ACCESS_CODE_REQUIRED")
    assert_error(grace.enter(for_the_listed), 403, "Not eligible", "NOT_ELIGIBLE")
    assert claim(signed_in, grace)
    assert claim(for_the_listed, ada)
    assert Participation.objects.count() == 2


@pytest.mark.parametrize("metadata", [None, 5, "text", [1], {"long": "x" * 2048}])
def test_metadata_is_a_small_object(world: World, metadata: object) -> None:
    release, guest = world.release(), world.consumer()
    answer = guest.post(f"{path_of(release)}/enter", {"metadata": metadata})
    body = assert_error(answer, 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["metadata"]
    assert not Participation.objects.exists()


# --- Devices --------------------------------------------------------------------------------------
def test_a_device_is_not_asked_for_and_bound_where_it_is_shown(world: World, clock: Any) -> None:
    release, without, shows = world.release(), world.consumer(), world.consumer()
    del without.headers["X-Fingerprint"]
    other = {"X-Fingerprint": "fp_another-device"}
    for one, is_bound in ((without, False), (shows, True)):
        token = claim(release, one)["admissionToken"]
        assert (Participation.objects.get(consumer_id=one.id).fingerprint is not None) == is_bound
        asked = {"consumerId": one.id, "token": token}
        answer = world.server().post(f"{path_of(release)}/validate", asked, **other)
        if is_bound:
            assert_error(answer, 403, "DEVICE_MISMATCH", "FP002")
        else:
            assert answer.json()["valid"] is True
        nothing = world.server()
        del nothing.headers["X-Fingerprint"]
        assert_error(nothing.post(f"{path_of(release)}/validate", asked), 400, "FINGERPRINT_REQUIRED")
    shows.enter(release, **other)
    assert Participation.objects.get(consumer_id=shows.id).is_risky


@pytest.mark.parametrize("header", ["", "fp_123456789", "fp_" + "x" * 65])
def test_a_malformed_device_is_refused(world: World, header: str) -> None:
    release, guest = world.release(), world.consumer()
    assert_error(guest.enter(release, **{"X-Fingerprint": header}), 400, "FINGERPRINT_REQUIRED", "FP001")
    assert not Participation.objects.exists()


def test_one_device_brings_in_so_many_and_no_more(world: World, clock: Any) -> None:
    release = world.release(inventory=9, claim_seconds=60, max_entries_per_fingerprint=2, max_per_consumer=2)
    third, (first, _) = world.consumer(), claimed(release, world, 2)
    denied = third.enter(release).json()
    assert (denied["status"], denied["denyReason"]) == ("DENIED", "DEVICE_LIMIT")
    assert third.status(release).json() == denied
    assert third.enter(release, **{"X-Fingerprint": "fp_another-device"}).json() == denied
    assert require_true_stock(release).taken == 2  # the denied one has nothing
    move(world, release, "complete", first)
    assert claim(release, first)  # a further unit of who is in
    assert units(release, first.id) == [(1, "COMPLETED"), (2, "ADMITTED")]
    assert claim(release, world.consumer(**{"X-Fingerprint": "fp_another-device"}))


def test_a_limited_device_whose_claims_ended_when_all_is_sold(world: World, clock: Any) -> None:
    """Ending the claims and claiming are one transaction there: none of it may be lost."""
    release = world.release(inventory=1, claim_seconds=60, max_entries_per_fingerprint=2)
    (first,) = claimed(release, world, 1)
    clock.shift(60)
    assert claim(release, world.consumer())
    require_sold_out(first.enter(release), 60)
    clock.shift(60)
    assert claim(release, first)
    require_true_stock(release)


def test_the_same_device_again_raises_no_flag(world: World) -> None:
    release, guest = world.release(), world.consumer()
    guest.enter(release)
    guest.enter(release, **{"X-Fingerprint": FINGERPRINT})
    assert not Participation.objects.get().is_risky


# --- The rate -------------------------------------------------------------------------------------
def test_entries_and_looks_are_counted(world: World, clock: Any) -> None:
    release, guest = world.release(), world.consumer()
    clock.move_to(START + 121)
    set_limits(world, queueEntry=2, statusCheck=1)
    assert [numbers(guest.enter(release)) for _ in range(2)] == [(2, 1), (2, 0)]
    refused = guest.enter(release)
    body = assert_error(refused, 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")
    assert int(refused.headers["Retry-After"]) == body["retryAfter"] > 0
    assert numbers(guest.status(release)) == (1, 0)
    assert_error(guest.status(release), 429, "Rate limit exceeded")
    clock.shift(body["retryAfter"])
    assert numbers(guest.enter(release)) == (2, 1)


def test_a_sold_out_answer_is_counted_and_has_the_headers(world: World, clock: Any) -> None:
    set_limits(world, queueEntry=5)
    refused = world.consumer().enter(world.release(inventory=0))
    assert numbers(refused) == (5, 4)
