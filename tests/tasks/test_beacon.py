"""Draws that wait for a public beacon, and a relay of it that is not to be trusted."""

import datetime as dt
import json
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings

from distributions import tasks
from distributions.core.models import Distribution, Drawing, Status
from distributions.draws import beacon, results
from distributions.draws.beacon import QUICKNET
from distributions.draws.models import Draw
from distributions.draws.setup import SETTINGS
from experiences.models import Event
from fanfare import clock as time
from fanfare import errors
from tests import draws
from tests.concurrency.race import race
from tests.draws import Verifier
from tests.pure.test_beacon_rounds import DUE, FORGED, OTHER_ROUND, RANDOMNESS, ROUND, SIGNATURES, signature
from tests.world import World, loaded, make_world

NAMED = {"source": "drand", "chain": QUICKNET, "round": ROUND}


# --- A relay ---------------------------------------------------------------------------------------


class Relay(BaseHTTPRequestHandler):
    """Answers as it is told, the last answer for good: status, headers, body."""

    answers: ClassVar[list[tuple[int, dict[str, str], bytes]]]
    seen: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        status, headers, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quietly."""


Answer = tuple[int, dict[str, str], bytes]


def answer(body: Any = b"", status: int = 200, **headers: str) -> Answer:
    return status, headers, body if isinstance(body, bytes) else json.dumps(body).encode()


def value(number: int = ROUND, of: str = SIGNATURES[ROUND], **more: Any) -> Answer:
    """As drand's relays answer."""
    return answer({"round": number, "randomness": RANDOMNESS, "signature": of, **more})


@pytest.fixture
def relay() -> Iterator[type[Relay]]:
    Relay.answers, Relay.seen = [answer(status=404)], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with override_settings(BEACON_URL=url, BEACON_FETCHER="distributions.draws.beacon.over_http"):
            yield Relay
        server.shutdown()


@pytest.fixture
def then(transactional_db: None, clock: Any) -> World:
    """A shop of 2023, a minute and a half before the round is due."""
    clock.move_to(DUE - dt.timedelta(seconds=90))
    return make_world()


def make_draw(world: World, closes_before: float = 33, **more: Any) -> Distribution:
    """A draw by the settings that staff make, whose entries close so many seconds before the round."""
    values = {
        "slug": "raffle",
        "name": "Raffle",
        "draw_at": DUE - dt.timedelta(seconds=closes_before),
        "winner_count": 3,
        "beacon": {"source": "drand"},
        **more,
    }
    return loaded(SETTINGS.create(world.sequence, values, now=time.now(), actor="staff:1"))


def frozen(world: World, clock: Any, **more: Any) -> Distribution:
    """A draw of twenty entries whose list is frozen, and whose round is due just now."""
    draw = make_draw(world, **more)
    draws.fill(draw, world, 20)
    clock.move_to(draw.draw.draw_at)
    tasks.tick_draws()
    clock.move_to(DUE)
    return draw


def stage(world: World, draw: Distribution) -> Any:
    """What anybody sees of it."""
    body = world.shop_front().get(f"/draws/{draw.pk}").json()
    return body["verification"]["status"]


def test_the_round_is_named_when_the_draw_is_made(then: World) -> None:
    """The first one half a minute after entries close; it is public from then on, and fixed."""
    draw = make_draw(then)
    assert draw.draw.beacon == NAMED
    body = then.shop_front().get(f"/draws/{draw.pk}").json()
    named = {**NAMED, "roundAt": "2023-08-23T15:59:24Z"}
    assert body["verification"] == {"level": "beacon", "status": "COMMITTED", "beacon": named}
    guest = then.consumer()
    receipt = guest.enter(draw).json()["receipt"]
    assert draws.signed(receipt)["beacon"] == {"chain": QUICKNET, "round": ROUND}
    for other in (None, {**NAMED, "round": ROUND + 1}):
        with pytest.raises(ValidationError, match="Somebody has entered"):
            SETTINGS.update(draw, {"beacon": other}, now=time.now(), actor="staff:1")


def test_a_round_that_is_due_before_entries_close_is_refused(then: World) -> None:
    with pytest.raises(ValidationError, match="must be later than entries close"):
        make_draw(then, closes_before=0, beacon=NAMED)


def test_it_waits_says_so_and_draws_with_the_value_alone(
    then: World, clock: Any, relay: type[Relay], tmp_path: Path
) -> None:
    forged = FORGED["of another round"].hex()
    there = {"Location": f"/{QUICKNET}/public/latest"}
    relay.answers = [
        answer(status=404),
        answer(b"<html>Have a nice day</html>"),
        value(ROUND + 1),
        value(of=forged),
        answer(status=302, **there),
        value(),
    ]
    draw = make_draw(then)
    people = [then.consumer() for _ in range(8)]
    for one in people:
        one.enter(draw)
    clock.move_to(DUE - dt.timedelta(seconds=33))
    tasks.tick_draws()
    assert stage(then, draw) == "WAITING_FOR_BEACON"
    clock.move_to(DUE - dt.timedelta(seconds=1))
    tasks.tick_draws()
    assert relay.seen == []  # not before it is due

    clock.move_to(DUE)
    for asked in range(1, 6):
        tasks.tick_draws()
        assert (stage(then, draw), len(relay.seen)) == ("WAITING_FOR_BEACON", asked)
        assert {one.status(draw).json()["drawStatus"] for one in people} == {"ENTERED"}
        clock.shift(results.RETRY.total_seconds())
    Verifier(tmp_path).require_good(draws.proof_of(then, draw))
    tasks.tick_draws()

    assert stage(then, draw) == "DRAWN"
    assert set(relay.seen) == {f"/{QUICKNET}/public/{ROUND}"}  # no redirect was followed
    randomness = bytes.fromhex(RANDOMNESS)
    assert draws.order(draw) == draws.due_order(draw, randomness) != draws.due_order(draw)
    proof = draws.proof_of(then, draw)
    told = {**NAMED, "roundAt": "2023-08-23T15:59:24Z", "signature": SIGNATURES[ROUND]}
    assert proof["beacon"] == {**told, "randomness": RANDOMNESS}
    assert (proof["level"], proof["drawnAt"]) == ("beacon", "2023-08-23T15:59:49Z")
    Verifier(tmp_path).require_good(proof, people[0].status(draw).json()["receipt"])


STRANGE: dict[str, Answer] = {
    "no JSON object": answer([ROUND, SIGNATURES[ROUND]]),
    "a number": answer(5),
    "null": answer(b"null"),
    "nothing": answer(b""),
    "no signature": answer({"round": ROUND}),
    "no round": answer({"signature": SIGNATURES[ROUND]}),
    "a signature that is no text": answer({"round": ROUND, "signature": 5}),
    "a signature that is no hexadecimal": value(of="xyz"),
    "half a signature": value(of=SIGNATURES[ROUND][:48]),
    "a round that is text": answer({"round": str(ROUND), "signature": SIGNATURES[ROUND]}),
    "bottomless JSON": answer(b"[" * 4_000),
    "without an end": value(padding="x" * beacon.MOST_BYTES),
    "not UTF-8": answer(b"\xff\xfe{}"),
    "too short for its length": (200, {"Content-Length": "5000"}, b"{}"),
    "the value with a 500": (500, {}, value()[2]),
}


def test_strange_answers_are_no_value_and_break_nothing(then: World, clock: Any, relay: type[Relay]) -> None:
    draw = frozen(then, clock)
    for name, strange in STRANGE.items():
        relay.answers = [strange]
        tasks.run_draw(draw.pk)
        assert (name, stage(then, draw)) == (name, "WAITING_FOR_BEACON")
        clock.shift(5)
    assert len(relay.seen) == len(STRANGE)
    relay.answers = [value()]
    tasks.run_draw(draw.pk)
    assert stage(then, draw) == "DRAWN"


@pytest.mark.parametrize("way", ["nobody listens", "nobody answers"])
def test_a_relay_that_is_away(then: World, clock: Any, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(beacon, "FETCH_SECONDS", 0.05)
    draw = frozen(then, clock)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if way == "nobody answers":
            listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with override_settings(BEACON_URL=url, BEACON_FETCHER="distributions.draws.beacon.over_http"):
            tasks.run_draw(draw.pk)
    assert stage(then, draw) == "WAITING_FOR_BEACON"


def test_it_never_falls_back(then: World, clock: Any, relay: type[Relay]) -> None:
    """Not after a day, by no task, and not by staff who would rather draw without."""
    draw = frozen(then, clock)
    for _ in range(3):
        clock.shift(86_400)
        tasks.tick_draws()
        for task in (tasks.run_draw, tasks.pass_on_places, tasks.fall_through, tasks.freeze_draw):
            task(draw.pk)
        assert results.run(draw.pk, now=time.now(), actor="staff:1") is None
    with pytest.raises(errors.IllegalMove, match="Nothing is drawn yet"):
        results.offer_next(draw.pk, now=time.now(), actor="staff:1")
    with pytest.raises(ValidationError):
        SETTINGS.update(draw, {"beacon": None}, now=time.now(), actor="staff:1")
    assert stage(then, draw) == "WAITING_FOR_BEACON"
    assert draws.numbers(draw, Status.QUEUED) == set(range(1, 21))


def test_it_is_not_asked_more_often_than_every_five_seconds(
    then: World, clock: Any, relay: type[Relay]
) -> None:
    draw = frozen(then, clock)
    for second in range(11):
        race(2, lambda _: tasks.run_draw(draw.pk)).all()
        assert len(relay.seen) == 1 + second // 5
        clock.shift(1)


def test_it_is_not_asked_before_the_list_is_frozen_or_once_the_value_is_here(
    then: World, clock: Any, relay: type[Relay]
) -> None:
    draw = make_draw(then)
    relay.answers = [value()]
    clock.move_to(DUE - dt.timedelta(seconds=1))
    assert results.due_to_draw(time.now()) == []
    tasks.freeze_draw(draw.pk)
    clock.move_to(DUE)
    for _ in range(3):
        tasks.run_draw(draw.pk)
        clock.shift(60)
    assert len(relay.seen) == 1


def test_the_value_by_staff(then: World, clock: Any, tmp_path: Path) -> None:
    """Where no relay is asked; it is checked like any other, and taken once."""
    draw = make_draw(then)
    draws.fill(draw, then, 20)

    def take(found: bytes) -> None:
        results.take_beacon(draw.pk, found, now=time.now())

    with override_settings(BEACON_FETCHER="distributions.draws.beacon.by_staff"):
        with pytest.raises(errors.IllegalMove):
            take(signature())  # the list is not frozen
        clock.move_to(draw.draw.draw_at)
        tasks.tick_draws()
        with pytest.raises(errors.IllegalMove):
            take(signature())  # it can't be known yet
        clock.move_to(DUE)
        tasks.tick_draws()
        for forged in FORGED.values():
            with pytest.raises(errors.Invalid, match="Not the network's signature of round 1000"):
                take(forged)
        assert stage(then, draw) == "WAITING_FOR_BEACON"
        take(beacon.read_value(f" {SIGNATURES[ROUND].upper()}\n"))
        with pytest.raises(errors.IllegalMove, match="here already"):
            take(signature())
        assert stage(then, draw) == "FROZEN"
        tasks.tick_draws()
    assert draws.order(draw) == draws.due_order(draw, bytes.fromhex(RANDOMNESS))
    Verifier(tmp_path).require_good(draws.proof_of(then, draw))
    with pytest.raises(errors.IllegalMove):
        take(signature())


def test_a_draw_without_a_beacon_takes_no_value(world: World, clock: Any) -> None:
    draw = world.draw()
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    with pytest.raises(errors.IllegalMove):
        results.take_beacon(draw.pk, signature(), now=time.now())


@pytest.mark.parametrize(
    "text", ["", "xyz", SIGNATURES[ROUND][:-2], SIGNATURES[ROUND] + "00", "0x" + "ab" * 47]
)
def test_what_staff_type_is_a_signature_or_refused(text: str) -> None:
    with pytest.raises(errors.Invalid, match="96 hexadecimal digits"):
        beacon.read_value(text)


@pytest.mark.parametrize(("seconds", "level"), [(-1, "beacon"), (0, "commit-reveal"), (40, "commit-reveal")])
def test_a_list_that_is_frozen_when_the_value_was_known_proves_less(
    then: World, clock: Any, relay: type[Relay], tmp_path: Path, seconds: int, level: str
) -> None:
    """The worker was away: it is drawn all the same, and says what that is worth."""
    relay.answers = [value()]
    draw = make_draw(then, closes_before=10, beacon=NAMED)
    draws.fill(draw, then, 20)
    assert draws.proof_of(then, draw)["level"] == "beacon"
    clock.move_to(DUE + dt.timedelta(seconds=seconds))
    tasks.freeze_draw(draw.pk)
    assert draws.proof_of(then, draw)["level"] == level
    clock.shift(60)
    tasks.tick_draws()

    proof = draws.proof_of(then, draw)
    assert (proof["status"], proof["level"]) == ("DRAWN", level)
    assert "randomness" in proof["beacon"]
    body = then.shop_front().get(f"/draws/{draw.pk}").json()
    assert body["verification"]["level"] == level
    traced = Event.objects.get(distribution_id=draw.pk, name="draw.drawn")
    assert traced.data["level"] == level
    Verifier(tmp_path).require_good(proof)


TAMPERED: dict[str, Callable[[Distribution], int]] = {
    "another value": lambda draw: Drawing.objects.filter(pk=draw.pk).update(
        beacon_signature=SIGNATURES[OTHER_ROUND]
    ),
    "no value": lambda draw: Drawing.objects.filter(pk=draw.pk).update(beacon_signature=""),
    "no beacon": lambda draw: Draw.objects.filter(pk=draw.pk).update(beacon=None),
}


def test_a_beacon_that_is_changed_in_the_stored_rows_is_caught(
    then: World, clock: Any, relay: type[Relay], tmp_path: Path
) -> None:
    relay.answers = [value()]
    draw = make_draw(then)
    guest = then.consumer()
    receipt = guest.enter(draw).json()["receipt"]
    clock.move_to(draw.draw.draw_at)
    tasks.tick_draws()
    clock.move_to(DUE)
    tasks.tick_draws()
    verifier = Verifier(tmp_path)
    kept = Drawing.objects.filter(pk=draw.pk).values().get()
    for name, change in TAMPERED.items():
        verifier.require_good(draws.proof_of(then, draw), receipt)
        assert change(draw) == 1
        status, said = verifier(draws.proof_of(then, draw), receipt)
        assert (name, status != 0) == (name, True), said
        Drawing.objects.filter(pk=draw.pk).update(**kept)
        Draw.objects.filter(pk=draw.pk).update(beacon=NAMED)
    assert draws.disagreements(receipt, draws.proof_of(then, draw)) == set()
    Draw.objects.filter(pk=draw.pk).update(beacon={**NAMED, "round": ROUND - 1})
    assert draws.disagreements(receipt, draws.proof_of(then, draw)) == {"beacon"}
