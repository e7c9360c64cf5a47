"""Devices: asked for at the door, kept as a keyed hash, flagged when they change, limited in number."""

from typing import Any

import pytest

from distributions.core.models import Participation
from tests.world import FINGERPRINT, World, assert_error, make_world


@pytest.mark.parametrize(
    "header", [None, "", "fp_", "fp_123456789", "FP_0123456789", "fp_" + "x" * 65, "fp_0123456789é"]
)
def test_it_is_required(world: World, header: str | None) -> None:
    queue, guest = world.queue(), world.consumer()
    del guest.headers["X-Fingerprint"]
    refused = guest.enter(queue, **({} if header is None else {"X-Fingerprint": header}))
    assert_error(refused, 400, "FINGERPRINT_REQUIRED", "FP001")
    assert refused.headers["X-Fingerprint-Error"] == "true"
    assert not Participation.objects.exists()


@pytest.mark.parametrize("header", ["fp_0123456789", "fp_" + "x" * 64, "fp_-_-_-_-_-_"])
def test_it_is_kept_as_a_hash_under_the_organization(world: World, header: str) -> None:
    stranger = make_world()
    for tenant in (world, stranger):
        assert tenant.consumer().enter(tenant.queue(), **{"X-Fingerprint": header}).status_code == 200
    ours, theirs = (bytes(row.fingerprint or b"") for row in Participation.objects.order_by("id"))
    assert len(ours) == 16
    assert ours != theirs
    assert header.encode() not in ours


def test_an_organization_may_switch_it_off(world: World) -> None:
    world.organization.require_fingerprint = False
    world.organization.save(update_fields=["require_fingerprint"])
    queue, guest = world.queue(), world.consumer()
    del guest.headers["X-Fingerprint"]
    assert guest.enter(queue).status_code == 200
    answer = world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id}).json()
    asked = {"consumerId": guest.id, "token": answer["admissionToken"]}
    server = world.server()
    for headers in ({"X-Fingerprint": ""}, {"X-Fingerprint": FINGERPRINT}):
        verdict = server.post(f"/queues/{queue.pk}/validate", asked, **headers)
        assert verdict.json()["valid"] is True  # nothing was bound, so nothing differs


def test_another_device_on_a_repeated_entry_is_recorded_and_flagged(world: World) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    guest.enter(queue)
    assert not Participation.objects.get().is_risky
    again = guest.enter(queue, **{"X-Fingerprint": "fp_another-device"})
    assert (again.status_code, again.json()["position"]) == (200, 1)
    row = Participation.objects.get()
    assert row.is_risky
    answer = world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id}).json()
    asked = {"consumerId": guest.id, "token": answer["admissionToken"]}
    first = world.server().post(f"/queues/{queue.pk}/validate", asked)
    assert first.json()["valid"] is True  # the first device stays the bound one
    other = world.server().post(
        f"/queues/{queue.pk}/validate", asked, **{"X-Fingerprint": "fp_another-device"}
    )
    assert_error(other, 403, "DEVICE_MISMATCH", "FP002")


def test_one_device_brings_in_so_many_and_no_more(world: World, clock: Any) -> None:
    queue = world.queue(max_entries_per_fingerprint=2)
    inside, third = [world.consumer(), world.consumer()], world.consumer()
    for guest in inside:
        assert guest.enter(queue).json()["status"] == "QUEUED"
    refused = third.enter(queue)
    assert refused.status_code == 200
    assert refused.json() == {
        "status": "DENIED",
        "denyReason": "DEVICE_LIMIT",
        "consumerId": third.id,
        "queueId": queue.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
    }
    assert third.status(queue).json()["denyReason"] == "DEVICE_LIMIT"
    assert inside[0].enter(queue).json()["status"] == "QUEUED"
    elsewhere = world.consumer(**{"X-Fingerprint": "fp_another-device"})
    assert elsewhere.enter(queue).json()["position"] == 3
