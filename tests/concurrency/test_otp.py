"""One-time codes under concurrency: one session a code, one consumer an address, limits exact, one mail."""

from typing import Any

from django.core import mail
from django.db import transaction

from auth_otp import tasks
from auth_otp.models import OtpChallenge
from consumers import identities
from consumers.models import Consumer, Identity, Session
from experiences.models import Event
from fanfare import clock as time
from fanfare import contacts
from tests.api.mailbox import ADA, ask, browser, failures, get_code, last_challenge, last_code, verify, wrong
from tests.api.servers import redis_away
from tests.concurrency.race import race
from tests.world import World


def statuses(answers: list[Any]) -> dict[int, int]:
    """How many answers of each status."""
    found = [answer.status_code for answer in answers]
    return {status: found.count(status) for status in sorted(set(found))}


def test_fifty_verifications_of_one_right_code(world: World, clock: Any) -> None:
    code = get_code(world)
    answers = race(50, lambda _: verify(world, code)).all()
    assert statuses(answers) == {200: 1, 401: 49}
    assert {answer.json()["error"] for answer in answers if answer.status_code == 401} == {"otp_invalid"}
    assert Session.objects.count() == Consumer.objects.count() == Identity.objects.count() == 1
    assert failures() == 0


def test_the_right_code_among_many_wrong_ones(world: World, clock: Any) -> None:
    """However they come: five are looked at besides, and at most one session opens."""
    code = get_code(world)
    guesses = [code if number % 10 == 0 else wrong(code, number) for number in range(40)]
    answers = race(40, lambda index: verify(world, guesses[index])).all()
    opened = statuses(answers).get(200, 0)
    assert opened == Session.objects.count() <= 1
    assert last_challenge().attempts == failures() <= 5
    assert opened == 1 or failures() == 5


def test_five_tries_exactly(world: World, clock: Any) -> None:
    code = get_code(world)
    answers = race(40, lambda index: verify(world, wrong(code, index + 1))).all()
    assert statuses(answers) == {401: 40}
    assert (last_challenge().attempts, failures()) == (5, 5)
    assert verify(world, code).status_code == 401


def test_twenty_a_day_exactly(world: World, clock: Any) -> None:
    for tries in (5, 5, 5, 3):
        code = get_code(world)
        for guess in range(tries):
            verify(world, wrong(code, guess + 1))
        clock.shift(600)
    code = get_code(world)
    answers = race(30, lambda index: verify(world, wrong(code, index + 1))).all()
    assert statuses(answers) == {401: 2, 429: 28}
    assert (last_challenge().attempts, failures()) == (2, 20)


def test_many_requests_for_one_address(world: World, clock: Any) -> None:
    answers = race(30, lambda index: ask(world, by=browser(world, f"203.0.113.{index}"))).all()
    assert statuses(answers) == {200: 1, 429: 29}
    assert OtpChallenge.objects.count() == len(mail.outbox) == 1
    assert verify(world, last_code()).status_code == 200


def test_many_requests_of_one_client(world: World, clock: Any) -> None:
    answers = race(40, lambda index: ask(world, f"p{index}@example.com", by=browser(world))).all()
    assert statuses(answers) == {200: 20, 429: 20}
    assert OtpChallenge.objects.count() == len(mail.outbox) == 20


def test_many_requests_without_redis(world: World, clock: Any) -> None:
    with redis_away():
        answers = race(30, lambda index: ask(world, f"p{index % 25}@example.com", by=browser(world))).all()
    assert statuses(answers) == {200: 20, 429: 10}
    race(6, lambda _: tasks.send_codes()).all()
    assert len(mail.outbox) == 20


def test_a_new_code_and_the_old_one_at_once(world: World, clock: Any) -> None:
    """Either the old one opens a session before it is void, or it is refused; the new one works.

    Four tries at once with the old one at most: after the new one came, they are tries of that.
    """
    old = get_code(world)
    clock.shift(30)
    answers = race(5, lambda index: ask(world) if index == 0 else verify(world, old)).all()
    assert answers[0].status_code == 200
    signed_in = statuses(answers[1:]).get(200, 0)
    assert signed_in == Session.objects.count() <= 1
    assert OtpChallenge.objects.filter(used_at=None, voided_at=None).count() == 1
    assert verify(world, last_code()).status_code == 200
    assert Consumer.objects.count() == 1


def test_one_code_is_sent_once(world: World, clock: Any) -> None:
    with redis_away():
        ask(world)
    key = last_challenge().pk
    race(12, lambda _: tasks.send_code(key)).all()
    assert len(mail.outbox) == 1
    row = last_challenge()
    assert (row.tries, row.sent_at, row.box) == (1, time.now(), None)


def test_one_consumer_an_address(world: World, clock: Any) -> None:
    """First sign-ins at once. No two codes of one address are good at once, so not through HTTP."""
    contact = contacts.email(ADA)
    name, profile = identities.proved_by_code(contact), identities.of_contact(contact, "Ada")

    def sign_in(index: int) -> tuple[str, bool]:
        with transaction.atomic():
            found, is_new = identities.find_or_create(world.organization, name, profile, now=time.now())
        return found.id, is_new

    found = race(20, sign_in).all()
    assert len({consumer_id for consumer_id, _ in found}) == 1
    assert [is_new for _, is_new in found].count(True) == 1
    assert Consumer.objects.count() == Identity.objects.count() == 1
    assert Event.objects.filter(name="consumer.created").count() == 1
    answer = verify(world, get_code(world))
    assert answer.json()["session"]["consumerId"] == found[0][0]
