"""The tables of forged tokens: access tokens on every kind of endpoint, admission tokens at `validate`.

None opens anything, none crashes anything, and each is told apart from one that is merely too old.
"""

from dataclasses import dataclass
from typing import Any

import jwt
import pytest

from consumers import signing
from distributions.core.models import Distribution
from fanfare import clock as time
from tests.contract.forgeries import (
    ACCESS,
    ACCESS_EXPIRED,
    ADMISSION,
    EXPIRED,
    FORGERIES,
    LONG,
    signed,
    split,
)
from tests.world import ApiClient, ConsumerClient, World, assert_error, make_world

# A publishable, a consumer's and a secret endpoint; hot ones and cold ones.
EVERY = [
    ("GET", "/queues/{id}"),
    ("GET", "/organizations/current"),
    ("POST", "/auth/external/exchange"),
    ("GET", "/queues/{id}/status"),
    ("POST", "/queues/{id}/enter"),
    ("POST", "/queues/{id}/leave"),
    ("GET", "/draws/{id}"),
    ("GET", "/draws/{id}/proof"),
    ("GET", "/draws/{id}/status"),
    ("POST", "/draws/{id}/enter"),
    ("POST", "/draws/{id}/leave"),
    ("POST", "/draws/{id}/deny"),
    ("GET", "/consumers/me"),
    ("POST", "/auth/logout"),
    ("POST", "/queues/{id}/admit"),
]


@dataclass
class Holder:
    """A consumer with a genuine token of each kind."""

    guest: ConsumerClient
    queue: Distribution
    admission: str
    receipt: str


@pytest.fixture
def holder(world: World, clock: Any) -> Holder:
    guest, queue = world.consumer(), world.queue(session_seconds=600)
    guest.enter(queue)
    world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
    status = guest.status(queue)
    assert status.status_code == 200  # the genuine access token is remembered as verified
    receipt = guest.enter(world.draw()).json()["receipt"]
    return Holder(guest, queue, status.json()["admissionToken"], receipt["token"])


def refusals_of(holder: Holder, token: str, *keys: dict[str, str]) -> set[tuple[int, str, str]]:
    """What every endpoint says to that bearer, beside such a key or without."""
    found = set()
    for shown in keys or ({},):
        client = ApiClient({**shown, "Authorization": f"Bearer {token}", "X-Fingerprint": "fp_0123456789"})
        for method, path in EVERY:
            answer = client.send(method, path.format(id=holder.queue.pk), b"{}" if method == "POST" else b"")
            body = answer.json() if answer.content else {}
            found.add((answer.status_code, body.get("error", ""), body.get("code", "")))
    return found


REFUSED = {(401, "Authentication required", "AUTHENTICATION_REQUIRED")}
TOO_OLD = {(401, "Authentication required", "TOKEN_EXPIRED")}


def test_the_signer_of_these_tests_makes_good_tokens(world: World, holder: Holder) -> None:
    """A control: what the tables refuse is refused for what is wrong with it."""
    client = ApiClient({"Authorization": f"Bearer {signed(holder.guest.token)}"})
    assert client.get("/consumers/me").status_code == 200
    assert verdict(world, holder, signed(holder.admission))["valid"] is True


def test_a_forged_access_token_opens_nothing(holder: Holder) -> None:
    wrong = {}
    for name, forge in {**FORGERIES, **LONG, **ACCESS, **ACCESS_EXPIRED}.items():
        said = refusals_of(holder, forge(holder.guest.token))
        if said != (TOO_OLD if name in ACCESS_EXPIRED else REFUSED):
            wrong[name] = said
    assert wrong == {}


def test_what_is_no_access_token_does_not_pass_for_one(world: World, holder: Holder) -> None:
    stranger = make_world().consumer()
    theirs = {"Authorization": f"Bearer {stranger.token}"}
    tokens = (holder.admission, holder.receipt, holder.guest.refresh_token, world.publishable)
    for token in (*tokens, "null", "undefined"):
        assert refusals_of(holder, token) == REFUSED
    assert refusals_of(holder, stranger.token, {"X-Publishable-Key": world.publishable}) == REFUSED
    assert_error(ApiClient(theirs).get(f"/queues/{holder.queue.pk}/status"), 404, "Queue not found")


def verdict(world: World, holder: Holder, token: str) -> Any:
    asked = {"consumerId": holder.guest.id, "token": token}
    answer = world.server().post(f"/queues/{holder.queue.pk}/validate", asked)
    return {**answer.json(), "status": answer.status_code}


def test_a_forged_admission_token_admits_nobody(world: World, holder: Holder) -> None:
    expected = {name: (forge, "TOKEN_INVALID") for name, forge in FORGERIES.items()}
    expected |= {name: (forge, "TOKEN_EXPIRED") for name, forge in EXPIRED.items()} | ADMISSION
    wrong = {}
    for name, (forge, code) in expected.items():
        said = verdict(world, holder, forge(holder.admission))
        if said.get("valid") is not False or (code and said["code"] != code):
            wrong[name] = said
    assert wrong == {}
    for name, forge in LONG.items():
        said = verdict(world, holder, forge(holder.admission))
        assert (name, said["status"], said["error"]) == (name, 400, "Validation failed")


def test_what_is_no_admission_token_does_not_pass_for_one(world: World, holder: Holder) -> None:
    guest = holder.guest
    for token in (guest.token, guest.refresh_token, holder.receipt, world.secret, world.publishable):
        assert verdict(world, holder, token)["code"] == "TOKEN_INVALID"


def test_tokens_of_a_revoked_key_are_over(world: World, holder: Holder, clock: Any) -> None:
    """A forged name of a key that is no more helps no more than a genuine token of it."""
    old = signing.key_set()
    clock.shift(1)
    signing.rotate(now=time.now(), revoke_old=True)
    assert verdict(world, holder, holder.admission)["code"] == "TOKEN_INVALID"
    assert refusals_of(holder, holder.guest.token) == REFUSED
    again = signed(holder.guest.token, {"kid": old.kid})  # by the new key, under the old one's name
    assert refusals_of(holder, again) == REFUSED
    renamed = jwt.encode(
        split(holder.guest.token)[1],
        old.private,
        "EdDSA",
        {**split(holder.guest.token)[0], "kid": signing.key_set().kid},
    )
    assert refusals_of(holder, renamed) == REFUSED
