"""Erasing somebody while they act: whatever comes first, nothing of theirs is left afterwards."""

from typing import Any

from django.core.management import call_command

from consumers.models import Consumer, ExchangeCode, Identity, Session, Visit
from distributions.core.models import LIVE, Distribution, Participation
from tests.api import mailbox
from tests.concurrency.race import race
from tests.lines import fill, positions, require_true_tally
from tests.world import EXCHANGE, World

ROUNDS = 8


def erase(consumer_id: str) -> None:
    call_command("consumers", "erase", consumer_id, "--yes", stdout=_Nowhere(), stderr=_Nowhere())


class _Nowhere:
    """What the command says doesn't matter here."""

    def write(self, text: str) -> None: ...

    def flush(self) -> None: ...


def require_forgotten(*queues: Distribution) -> None:
    """Of all who are erased nothing lives and nothing names them; the counters are true."""
    erased = Consumer.objects.exclude(erased_at=None)
    assert erased.exists()
    rows = Participation.objects.filter(consumer__in=erased)
    assert not rows.filter(status__in=LIVE).exists()
    assert set(rows.values_list("fingerprint", "metadata", "order_id")) <= {(None, None, "")}
    assert not rows.filter(deny_reason__contains="words").exists()
    assert not Session.objects.filter(consumer__in=erased, ended_at=None).exists()
    assert not Visit.objects.filter(consumer__in=erased, left_at=None).exists()
    for model in (Identity, ExchangeCode):
        assert not model._default_manager.filter(consumer__in=erased).exists()
    assert set(erased.values_list("email", "phone", "full_name")) == {(None, None, "")}
    for queue in queues:
        require_true_tally(queue)


def require_answers(answers: list[Any], *expected: int) -> None:
    """The erasings' None aside; a 503 would be a deadlock."""
    codes = {answer.status_code for answer in answers if answer is not None}
    assert codes <= set(expected), [answer.content for answer in answers if answer is not None]


def test_while_entering(world: World) -> None:
    """One with a device limit among them, where turning away writes a row too."""
    queues = [world.queue() for _ in range(3)] + [world.queue(max_entries_per_fingerprint=1)]
    neighbours = {queue.pk: fill(queue, world, 3) for queue in queues}
    world.consumer().enter(queues[-1])
    before = {queue.pk: positions(queue) for queue in queues}
    for number in range(ROUNDS):
        browser = world.member(subject=f"s-{number}", name="Ada")

        def act(index: int, browser: Any = browser) -> Any:
            if index < 2:
                return erase(browser.id)
            path = f"/queues/{queues[index % 4].pk}/enter"
            return browser.post(path, {"metadata": {"seat": "7"}})

        require_answers(race(10, act).all(), 200, 401)
        require_forgotten(*queues)
        for queue in queues:
            now = positions(queue)
            assert all(now[one] <= before[queue.pk][one] for one in neighbours[queue.pk])
    assert Consumer.objects.exclude(erased_at=None).count() == ROUNDS


def test_while_the_shop_moves_them(world: World) -> None:
    queue, server = world.queue(session_seconds=600), world.server()
    for number in range(ROUNDS):
        browser = world.member(subject=f"s-{number}", name="Ada")
        browser.enter(queue)
        if number % 2:
            server.post(f"/queues/{queue.pk}/admit", {"consumerId": browser.id})
        moves = [
            ("admit", {}), ("complete", {"orderId": "A-1"}), ("deny", {"reason": "own words"}),
            ("complete", {"orderId": "A-2"}), ("admit", {}),
        ]  # fmt: skip

        def act(index: int, browser: Any = browser, moves: Any = moves) -> Any:
            if index == 0:
                return erase(browser.id)
            verb, more = moves[index - 1]
            return server.post(f"/queues/{queue.pk}/{verb}", {"consumerId": browser.id, **more})

        # 401: admitting enters, and finds that they were erased a moment ago.
        require_answers(race(6, act).all(), 200, 401, 404, 409)
        require_forgotten(queue)


def test_while_signing_in_by_the_shop(world: World) -> None:
    """Guests who bring places along come before, and are erased too, or after, and belong to somebody new."""
    queue = world.queue()
    for number in range(ROUNDS):
        subject = f"s-{number}"
        first = world.member(subject=subject, name="Ada", email=f"a{number}@example.com")
        guests = [world.consumer() for _ in range(3)]
        for guest in guests:
            guest.enter(queue)
        codes = [world.authorize(subject).json()["exchangeCode"] for _ in guests]

        def act(
            index: int, first: Any = first, guests: Any = guests, codes: Any = codes, subject: str = subject
        ) -> Any:
            if index == 0:
                return erase(first.id)
            if index > 3:
                return world.authorize(subject, phone=mailbox.PHONE)
            return guests[index - 1].post(EXCHANGE, {"exchangeCode": codes[index - 1]})

        require_answers(race(6, act).all(), 200, 401)
        require_forgotten(queue)
        assert Consumer.objects.get(pk=first.id).erased_at is not None
        assert not Consumer.objects.filter(merged_into=first.id, erased_at=None).exists()


def test_while_signing_in_by_a_code(world: World, clock: Any) -> None:
    queue = world.queue()
    for _ in range(ROUNDS):
        clock.shift(3_700)
        first = world.signed_in(mailbox.verify(world, mailbox.get_code(world)))
        guest = world.consumer()
        guest.enter(queue)
        clock.shift(3_500)
        code = mailbox.get_code(world)

        def act(index: int, first: Any = first, guest: Any = guest, code: str = code) -> Any:
            if index == 0:
                return erase(first.id)
            return mailbox.verify(world, code, by=guest) if index == 1 else mailbox.ask(world)

        require_answers(race(4, act).all(), 200, 401, 429)
        require_forgotten(queue)


def test_many_at_once_who_share_queues(world: World) -> None:
    """Each leaves several queues at the same time as the others."""
    queues = [world.queue() for _ in range(4)]
    people = [world.member(subject=f"s-{number}") for number in range(8)]
    for number, one in enumerate(people):
        for queue in queues if number % 2 else reversed(queues):
            one.enter(queue)
    race(8, lambda index: erase(people[index].id)).all()
    require_forgotten(*queues)
    assert [require_true_tally(queue).taken for queue in queues] == [0] * 4
