"""What credentials open, and for how long. All of them, on every endpoint: `tests.contract`."""

from typing import Any

from distributions.core.models import Distribution
from experiences import keys
from experiences.models import ApiKey, KeyKind, KeyMode
from fanfare import clock as time
from tests.world import ApiClient, World, assert_error

UNKNOWN = "queue_00000000000000000000000000"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_an_access_token_ends_at_its_second(world: World, clock: Any) -> None:
    guest, queue = world.consumer(), world.queue()
    guest.enter(queue)
    clock.shift(3599)
    assert guest.status(queue).status_code == 200
    clock.shift(1)
    assert_error(guest.status(queue), 401, "Authentication required", "TOKEN_EXPIRED")


def test_guests_are_refused_after_a_missing_queue_and_before_their_body(world: World) -> None:
    guest, members_only = world.consumer(), world.queue(supports_guest=False)
    assert_error(guest.post(f"/queues/{UNKNOWN}/enter"), 404, "Queue not found")
    answer = guest.send("POST", f"/queues/{members_only.pk}/enter", b"{")
    assert_error(answer, 403, "Sign-in required")
    world.sequence.requires_authentication = True
    world.sequence.save(update_fields=["requires_authentication"])
    assert_error(guest.enter(world.queue()), 403, "Sign-in required")
    assert not Distribution.objects.filter(participations__isnull=False).exists()


def test_a_revoked_key_is_refused_from_then_on(world: World) -> None:
    shop, server = world.shop_front(), world.server()
    assert shop.get("/organizations/current").status_code == 200
    assert server.get("/organizations/current").status_code == 200
    for key in ApiKey.objects.filter(organization=world.organization):
        keys.revoke(key, now=time.now(), actor="system:test")
    for client in (shop, server):
        assert_error(client.get("/organizations/current"), 401, "Authentication required")


def test_a_key_of_each_mode_opens_the_same(world: World) -> None:
    for kind in (KeyKind.PUBLISHABLE, KeyKind.SECRET):
        _, text = keys.create(
            world.organization, kind, now=time.now(), actor="system:test", mode=KeyMode.TEST
        )
        headers = {"X-Publishable-Key": text} if kind == KeyKind.PUBLISHABLE else bearer(text)
        assert ApiClient(headers).get("/organizations/current").json()["id"] == world.organization.id
