"""The authorisation matrix: every operation × every credential × its own, a foreign, a missing target.

The operations come from the URL configuration, so a new one without a row in `operations` fails. What is
expected comes from the contract's letters and its order of refusals. Whoever is refused learns nothing of
what is there, and leaves nothing behind.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.db import connection

from tests.contract.credentials import CREDENTIALS, Caller, Cast, Credential, Standing, make_cast
from tests.contract.operations import OPERATIONS, PUBLIC, Operation, Side, walk
from tests.world import World

UNKNOWN = "{prefix}_00000000000000000000000000"
MALFORMED = [
    "nobody",
    "{prefix}_",
    "{prefix}_0000000000000000000000000U",
    "{prefix}_00000000000000000000000000%20",
    "{prefix}_%00",
    "{prefix}_" + "0" * 5000,
    "org_00000000000000000000000000",
    "é",
]
THOROUGH = ("key", "verified", "secret")  # who tries every malformed id
CONSUMERS = (Standing.GUEST, Standing.VERIFIED)
Refusal = tuple[int, str]
Tables = dict[str, str]


@dataclass(frozen=True)
class Target:
    """What the path names: its id, whose it is (None: nobody's), and whether it takes no guests."""

    name: str
    id: str = ""
    owner: str | None = None
    takes_guests: bool = True


@dataclass
class Call:
    """One cell of the matrix, ready to be sent."""

    name: str
    credential: Credential
    caller: Caller
    target: Target
    body: bytes


@pytest.fixture
def cast(world: World, clock: Any) -> Cast:
    return make_cast(world, lambda: clock.shift(settings.ACCESS_TOKEN_SECONDS))


def targets(operation: Operation, cast: Cast) -> list[Target]:
    """All that the path may name; one without a name where it names nothing."""
    if operation.target is None:
        return [Target("")]
    own, prefix = operation.target(cast.ours), operation.target(cast.ours).partition("_")[0]
    found = [Target("ours", own, "ours"), Target("theirs", operation.target(cast.theirs), "theirs")]
    if operation.members:
        found.append(Target("members only", operation.members(cast.ours), "ours", takes_guests=False))
    missing = [text.format(prefix=prefix) for text in (UNKNOWN, *MALFORMED)]
    return found + [Target(text[:40], text) for text in (*missing, own.lower())]


def refusal(operation: Operation, credential: Credential, target: Target) -> Refusal | None:
    """The contract's order of refusals (§1); None where there is none."""
    if credential.standing == Standing.NOBODY:
        return 401, "Authentication required"
    if operation.letter == "C" and credential.standing not in CONSUMERS:
        return 400, "Consumer ID is required"
    if operation.letter == "S" and credential.standing != Standing.SECRET:
        return 401, "Secret key required"
    if operation.target and target.owner != credential.of:
        return 404, f"{operation.thing} not found"
    if not target.takes_guests and credential.standing == Standing.GUEST:
        return 403, "Sign-in required"
    return None


def cells(operation: Operation, cast: Cast) -> Iterator[tuple[str, Credential, Target]]:
    """The matrix of one operation."""
    known = targets(operation, cast)
    for name, credential in CREDENTIALS.items():
        for target in known if name in THOROUGH else known[:5]:
            yield f"{name} → {target.name or 'call'}", credential, target


def refused_calls(operation: Operation, cast: Cast) -> list[Call]:
    """Every refused cell with a body that would succeed; a credential is made once for all its targets."""
    callers: dict[Any, Caller] = {}
    bodies: dict[Any, bytes] = {}
    found = []
    for name, credential, target in cells(operation, cast):
        if refusal(operation, credential, target) is None:
            continue
        if credential not in callers:
            callers[credential] = credential.make(cast)
        caller, side = callers[credential], cast.theirs if target.owner == "theirs" else cast.ours
        known = (id(side), _self(credential, caller, side, cast))
        if known not in bodies:
            bodies[known] = orjson.dumps(operation.body(side, known[1]))
        found.append(Call(name, credential, caller, target, bodies[known]))
    return found


def _self(credential: Credential, caller: Caller, side: Side, cast: Cast) -> str:
    """Who calls, where it is a consumer of that side; otherwise somebody of that side."""
    at_home = side is (cast.ours if credential.of == "ours" else cast.theirs)
    return caller.consumer_id if at_home and caller.consumer_id else side.person


def send(method: str, path: str, call: Call) -> Any:
    named = {**orjson.loads(call.body), "id": call.target.id}
    address = path.format(**named) + OPERATIONS[method, path].query
    return call.caller.client.send(method, address, call.body if method == "POST" else b"")


def snapshot() -> Tables:
    """A digest of each table's rows; that a key was used may be noted."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        row = {"experiences_apikey": "(to_jsonb(t) - 'last_used_at')::text"}
        one = "SELECT '{0}', md5(string_agg({1}, '|' ORDER BY {1})) FROM \"{0}\" AS t"
        cursor.execute(" UNION ALL ".join(one.format(name, row.get(name, "t::text")) for name in names))
        return {name: digest or "" for name, digest in cursor.fetchall()}


def changed(before: Tables) -> list[str]:
    return sorted(name for name, digest in snapshot().items() if digest != before[name])


def told(answer: Any) -> str:
    """All that an answer tells, but for the request's id."""
    body = answer.json() if answer.content else {}
    said = {name: value for name, value in body.items() if name != "requestId"}
    return f"{answer.status_code} {said} {sorted(answer.headers)}"


def test_every_operation_has_its_row() -> None:
    found = {(method, path) for method, path, _ in walk()}
    assert {path for method, path in found if method == "*"} == PUBLIC
    assert {row for row in found if row[0] != "*"} == set(OPERATIONS)


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_what_is_public_asks_for_nothing(path: str, cast: Cast) -> None:
    for name in ("nothing", "their key", "revoked secret", "expired"):
        client = CREDENTIALS[name].make(cast).client
        assert client.client.get(f"/api/v1{path}", headers=client.headers).status_code == 200


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_who_is_refused_and_who_is_let_in(cast: Cast, method: str, path: str) -> None:
    """In one test for both, since making the two organizations takes as long as the calls."""
    operation = OPERATIONS[method, path]
    calls = refused_calls(operation, cast)
    before = snapshot()
    answers = [send(method, path, call) for call in calls]
    left_behind = changed(before)
    assert wrongly_answered(operation, calls, answers) == []
    assert answered_unlike(operation, calls, answers) == []
    assert left_behind == [], writers(method, path, calls)
    assert wrongly_kept_out(method, path, cast) == []


def wrongly_answered(operation: Operation, calls: list[Call], answers: list[Any]) -> list[str]:
    found = []
    for call, answer in zip(calls, answers, strict=True):
        expected = refusal(operation, call.credential, call.target)
        said = (answer.status_code, answer.json().get("error") if answer.content else None)
        if said != expected or (answer.headers.get("WWW-Authenticate") == "Bearer") != (said[0] == 401):
            found.append(f"{call.name}: {said}, not {expected}")
    return found


def answered_unlike(operation: Operation, calls: list[Call], answers: list[Any]) -> list[list[str]]:
    """Where a credential's refusals in the same words differ in anything by their target."""
    alike: defaultdict[Any, dict[str, str]] = defaultdict(dict)
    for call, answer in zip(calls, answers, strict=True):
        expected = refusal(operation, call.credential, call.target)
        alike[call.credential, expected].setdefault(told(answer), call.name)
    return [[f"{name}: {said}" for said, name in found.items()] for found in alike.values() if len(found) > 1]


def writers(method: str, path: str, calls: list[Call]) -> list[str]:
    """Which of the calls write, and where: each once more, alone."""
    found = []
    for call in calls:
        before = snapshot()
        send(method, path, call)
        if tables := changed(before):
            found.append(f"{call.name}: {tables}")
    return found


def wrongly_kept_out(method: str, path: str, cast: Cast) -> list[str]:
    """Every cell without a refusal, each with a credential and a body of its own."""
    operation, wrong, tried = OPERATIONS[method, path], [], 0
    for name, credential, target in cells(operation, cast):
        if refusal(operation, credential, target) is not None:
            continue
        side = cast.ours if credential.of == "ours" else cast.theirs
        caller = credential.make(cast)
        body = orjson.dumps(operation.body(side, caller.consumer_id or side.person))
        answer = send(method, path, Call(name, credential, caller, target, body))
        tried += 1
        said = answer.json() if answer.headers.get("Content-Type") == "application/json" else {}
        if answer.status_code != operation.status or said.get("valid") is False:
            wrong.append(f"{name}: {answer.status_code} {said}")
    assert tried >= 4  # ours and theirs, with and without a key
    return wrong


NAMED_IN_BODY = {  # path, the field that names something, what is said when it is not there
    "/queues/{id}/admit": ("consumerId", "Consumer not found"),
    "/queues/{id}/complete": ("consumerId", "Consumer not found"),
    "/queues/{id}/deny": ("consumerId", "Consumer not found"),
    "/queues/{id}/validate": ("consumerId", "CONSUMER_MISMATCH"),
    "/draws/{id}/complete": ("consumerId", "Consumer not found"),
    "/draws/{id}/deny": ("consumerId", "Consumer not found"),
    "/draws/{id}/validate": ("consumerId", "CONSUMER_MISMATCH"),
    "/auctions/{id}/complete": ("consumerId", "Consumer not found"),
    "/auctions/{id}/deny": ("consumerId", "Consumer not found"),
    "/auctions/{id}/validate": ("consumerId", "CONSUMER_MISMATCH"),
    "/timed-releases/{id}/complete": ("consumerId", "Consumer not found"),
    "/timed-releases/{id}/deny": ("consumerId", "Consumer not found"),
    "/timed-releases/{id}/validate": ("consumerId", "CONSUMER_MISMATCH"),
    "/appointments/{id}/complete": ("consumerId", "Consumer not found"),
    "/appointments/{id}/deny": ("consumerId", "Consumer not found"),
    "/appointments/{id}/validate": ("consumerId", "CONSUMER_MISMATCH"),
    "/auth/refresh": ("refreshToken", "invalid refresh token"),
    "/auth/external/exchange": ("exchangeCode", "invalid_exchange_code"),
}


@pytest.mark.parametrize("path", NAMED_IN_BODY)
def test_what_a_body_names_of_another_organization_is_not_there(cast: Cast, path: str) -> None:
    """Theirs, unknown and malformed ones are answered alike, and nothing happens to theirs."""
    field, said = NAMED_IN_BODY[path]
    operation = OPERATIONS["POST", path]
    address = path.format(id=operation.target(cast.ours)) if operation.target else path
    ours = operation.body(cast.ours, cast.ours.person)
    theirs = operation.body(cast.theirs, cast.theirs.person)[field]
    swapped = "".join(reversed(theirs)) if field != "consumerId" else UNKNOWN.format(prefix="cons")
    before, answers = snapshot(), {}
    for named in (theirs, swapped, theirs[:-1], "x"):
        answer = cast.ours.world.server().post(address, {**ours, field: named})
        assert said in (answer.json().get("error"), answer.json().get("code"))
        answers[told(answer)] = named
    assert len(answers) == 1, answers
    assert changed(before) == []
