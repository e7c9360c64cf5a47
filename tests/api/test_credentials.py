"""Who may knock: every wrong credential on every kind of endpoint, and the order of the refusals."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from consumers import signing
from distributions.core.models import Distribution
from experiences import keys
from experiences.models import ApiKey, KeyKind, KeyMode
from fanfare import clock as time
from fanfare import ids
from tests.world import ApiClient, ConsumerClient, World, assert_error, make_world

Headers = dict[str, str]
UNKNOWN = "queue_00000000000000000000000000"
# A publishable, a consumer's and a secret endpoint; hot and cold ones.
ENDPOINTS = {
    "P": [("GET", "/queues/{id}"), ("GET", "/organizations/current"), ("POST", "/auth/guest")],
    "C": [("GET", "/queues/{id}/status"), ("POST", "/queues/{id}/enter"), ("POST", "/queues/{id}/leave")],
    "S": [(verb, f"/queues/{{id}}/{verb}") for verb in ("admit", "complete", "deny", "validate")],
}
ENDPOINTS["S"] = [("POST", path) for _, path in ENDPOINTS["S"]]
EVERY = [(letter, *endpoint) for letter, found in ENDPOINTS.items() for endpoint in found]


def call(method: str, path: str, queue_id: str, headers: Headers) -> Any:
    body = b"{}" if method == "POST" else b""
    return ApiClient(headers).send(method, path.format(id=queue_id), body)


def bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def split(token: str) -> tuple[Any, Any]:
    """Header and claims of a token, unverified."""
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def signed(token: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """The token with other header fields or claims, signed by our real key; None takes a claim away."""
    found, said = split(token)
    changed = {name: value for name, value in {**said, **claims}.items() if value is not None}
    return jwt.encode(changed, signing.key_set().private, "EdDSA", {**found, **(header or {})})


def unsigned(token: str) -> str:
    header, claims = split(token)
    return f"{part({**header, 'alg': 'none'})}.{part(claims)}."


def signed_with_public_key(token: str) -> str:
    """The classic confusion: the public key taken for an HMAC secret."""
    header, claims = split(token)
    keys = signing.key_set()
    secret = keys.public[keys.kid].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    start = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
    mac = hmac.new(secret, start.encode(), hashlib.sha256).digest()
    return f"{start}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def tampered(token: str) -> str:
    head, _, mac = token.split(".")
    return f"{head}.{part({**split(token)[1], 'guest': False})}.{mac}"


FORGERIES: dict[str, Callable[[str], str]] = {
    "nothing": lambda token: "",
    "half": lambda token: token.rpartition(".")[0],
    "long": lambda token: token + "A" * 5000,
    "not ASCII": lambda token: token + "ÿ",
    "alg none": unsigned,
    "HS256 with the public key": signed_with_public_key,
    "tampered": tampered,
    "another's key": lambda token: jwt.encode(
        split(token)[1], Ed25519PrivateKey.generate(), "EdDSA", split(token)[0]
    ),
    "unknown kid": lambda token: signed(token, {"kid": "0" * 16}),
    "kid of another type": lambda token: signed(token, {"kid": ""}),
    "typ of an admission": lambda token: signed(token, {"typ": "admission+jwt"}),
    "typ missing": lambda token: signed(token, {"typ": None}),
    "wrong iss": lambda token: signed(token, iss="https://elsewhere.example.com"),
    "no iss": lambda token: signed(token, iss=None),
    "wrong aud": lambda token: signed(token, aud=ids.new("org")),
    "aud of another type": lambda token: signed(token, aud=["org", "org"]),
    "no sub": lambda token: signed(token, sub=None),
    "sub of another kind": lambda token: signed(token, sub=ids.new("org")),
    "no sid": lambda token: signed(token, sid=None),
    "unknown session": lambda token: signed(token, sid=ids.new("sess")),
    "no exp": lambda token: signed(token, exp=None),
    "expired": lambda token: signed(token, exp=int(time.now().timestamp())),
    "from the future": lambda token: signed(token, nbf=int(time.now().timestamp()) + 60),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_access_token_opens_nothing(world: World, clock: Any, forgery: str) -> None:
    guest, queue = world.consumer(), world.queue()
    guest.enter(queue)
    assert guest.status(queue).status_code == 200  # the genuine one is remembered as verified
    headers = {**guest.headers, **bearer(FORGERIES[forgery](guest.token))}
    for _, method, path in EVERY:
        answer = call(method, path, queue.pk, headers)
        assert_error(answer, 401, "Authentication required")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_signer_of_these_tests_makes_good_tokens(world: World) -> None:
    guest = world.consumer()
    headers = {**guest.headers, **bearer(signed(guest.token))}
    assert ApiClient(headers).get("/organizations/current").status_code == 200


def test_an_access_token_ends_at_its_second(world: World, clock: Any) -> None:
    guest, queue = world.consumer(), world.queue()
    guest.enter(queue)
    clock.shift(3599)
    assert guest.status(queue).status_code == 200
    clock.shift(1)
    assert_error(guest.status(queue), 401, "Authentication required", "TOKEN_EXPIRED")


def test_access_and_admission_tokens_do_not_pass_for_each_other(world: World, clock: Any) -> None:
    guest, queue = world.consumer(), world.queue()
    guest.enter(queue)
    admitted = world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id}).json()
    headers = {**guest.headers, **bearer(admitted["admissionToken"])}
    for _, method, path in EVERY:
        assert_error(call(method, path, queue.pk, headers), 401, "Authentication required")
    asked = {"consumerId": guest.id, "token": guest.token}
    verdict = world.server().post(f"/queues/{queue.pk}/validate", asked).json()
    assert (verdict["valid"], verdict["code"]) == (False, "TOKEN_INVALID")


def wrong_keys(world: World, stranger: World, guest: ConsumerClient) -> dict[str, Headers]:
    """Headers with a key that is there and wrong."""
    now = time.now()
    revoked = {}
    for kind in (KeyKind.PUBLISHABLE, KeyKind.SECRET):
        key, text = keys.create(world.organization, kind, now=now, actor="system:test")
        keys.revoke(key, now=now, actor="system:test")
        revoked[kind] = text
    unknown_key = keys.make_text(KeyKind.PUBLISHABLE, KeyMode.LIVE)
    unknown_secret = keys.make_text(KeyKind.SECRET, KeyMode.TEST)
    return {
        "unknown key": {"X-Publishable-Key": unknown_key},
        "unknown secret": bearer(unknown_secret),
        "revoked key": {"X-Publishable-Key": revoked[KeyKind.PUBLISHABLE]},
        "revoked secret": bearer(revoked[KeyKind.SECRET]),
        "empty key": {"X-Publishable-Key": ""},
        "mistyped key": {"X-Publishable-Key": world.publishable[:-1] + "!"},
        "key with a tail": {"X-Publishable-Key": world.publishable + " x"},
        "key in capitals": {"X-Publishable-Key": world.publishable.upper()},
        "letters beyond ASCII": {"X-Publishable-Key": "pk_live_é" * 5},
        "secret in the publishable header": {"X-Publishable-Key": world.secret},
        "publishable as bearer": bearer(world.publishable),
        "mistyped secret": bearer(world.secret[:-1] + "!"),
        "Basic": {"Authorization": "Basic c2VjcmV0"},
        "no scheme": {"Authorization": world.secret},
        "empty bearer": {"Authorization": "Bearer "},
        "two tokens": {"Authorization": f"Bearer {guest.token} {guest.token}"},
        "their key, our token": {"X-Publishable-Key": stranger.publishable, **bearer(guest.token)},
        "their key, our secret": {"X-Publishable-Key": stranger.publishable, **bearer(world.secret)},
        "our key, their secret": {"X-Publishable-Key": world.publishable, **bearer(stranger.secret)},
        "revoked key, good secret": {
            "X-Publishable-Key": revoked[KeyKind.PUBLISHABLE],
            **bearer(world.secret),
        },
        "unknown key, good token": {"X-Publishable-Key": unknown_key, **bearer(guest.token)},
        "good key, unknown secret": {"X-Publishable-Key": world.publishable, **bearer(unknown_secret)},
    }


def test_a_wrong_key_opens_nothing_even_beside_a_good_one(world: World) -> None:
    queue = world.queue()
    for headers in wrong_keys(world, make_world(), world.consumer()).values():
        for _, method, path in EVERY:
            assert_error(call(method, path, queue.pk, headers), 401, "Authentication required")


@pytest.mark.parametrize(("letter", "method", "path"), EVERY)
def test_the_order_of_refusals(world: World, letter: str, method: str, path: str) -> None:
    stranger, queue, guest = make_world(), world.queue(), world.consumer()

    def said(headers: Headers, queue_id: str = UNKNOWN) -> tuple[int, str]:
        answer = call(method, path, queue_id, headers)
        return answer.status_code, answer.json().get("error", "")

    key, secret, token = {"X-Publishable-Key": world.publishable}, bearer(world.secret), bearer(guest.token)
    refused = {"P": None, "C": (400, "Consumer ID is required"), "S": (401, "Secret key required")}[letter]
    assert said({}) == (401, "Authentication required")
    # Right or wrong for this endpoint is said before whether the queue is there.
    opens = {"P": [key, secret, token], "C": [token, {**key, **token}], "S": [secret, {**key, **secret}]}
    for headers in (key, secret, token, {**key, **token}):
        if headers not in opens[letter] and refused:
            assert said(headers) == said(headers, queue.pk) == refused
    if "{id}" in path:
        for headers in opens[letter]:
            assert said(headers) == said(headers, stranger.queue().pk) == (404, "Queue not found")


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
