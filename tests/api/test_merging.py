"""A guest turns out to be somebody: places, admissions, visits and used codes come along, once."""

import itertools
from typing import Any

import pytest
from django.conf import settings

from consumers.models import Consumer, Redemption, Visit
from distributions import tasks
from distributions.core import lifecycle
from distributions.core.models import LIVE, Distribution, Participation
from experiences import access_codes
from experiences.models import Event
from fanfare import clock as time
from fanfare import errors, redis
from tests.api.mailbox import ADA, get_code, verify
from tests.lines import events_of, positions, require_true_tally, stored
from tests.resilience.test_outages import NOBODY
from tests.world import EXCHANGE, ApiClient, ConsumerClient, World, assert_error, make_world

WAYS = ["code", "exchange"]


def become(world: World, guest: ConsumerClient, way: str = "exchange") -> ConsumerClient:
    """The guest signs in, always as the same person."""
    if way == "exchange":
        return world.member(subject="4711", guest=guest)
    return world.signed_in(verify(world, get_code(world), by=guest))


def validate(world: World, queue: Distribution, consumer_id: str, token: str) -> Any:
    return (
        world.server()
        .post(f"/queues/{queue.pk}/validate", {"consumerId": consumer_id, "token": token})
        .json()
    )


# --- one queue ---


@pytest.mark.parametrize("way", WAYS)
def test_a_guest_in_line_keeps_the_place(world: World, clock: Any, way: str) -> None:
    queue = world.queue()
    first, guest, last = (world.consumer() for _ in range(3))
    for one in (first, guest, last):
        one.enter(queue)
        clock.shift(1)
    before = guest.status(queue).json()
    tally = require_true_tally(queue)

    member = become(world, guest, way)
    assert member.id != guest.id
    after = member.status(queue).json()
    kept = ("status", "enteredAt", "position", "queueId")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert (after["consumerId"], after["position"]) == (member.id, 2)
    again = member.enter(queue).json()
    assert (again["enteredAt"], again["position"]) == (before["enteredAt"], 2)
    assert stored(queue, guest.id) == []
    assert (first.status(queue).json()["position"], last.status(queue).json()["position"]) == (1, 3)
    assert vars(require_true_tally(queue)) | {"_state": 0} == vars(tally) | {"_state": 0}
    assert [event.name for event in events_of(queue, member.id)] == ["consumer.merged"]
    (whole,) = Event.objects.filter(name="consumer.merged", distribution_id=None)
    assert (whole.consumer_id, whole.actor) == (member.id, f"consumer:{member.id}")
    assert whole.data == {"guest": guest.id, "moved": [queue.pk], "left": []}


@pytest.mark.parametrize("way", WAYS)
def test_an_admitted_guest_stays_admitted(world: World, clock: Any, way: str) -> None:
    queue, guest, stranger = world.queue(session_seconds=600), world.consumer(), world.consumer()
    stranger.enter(queue)
    world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
    old = guest.status(queue).json()["admissionToken"]

    member = become(world, guest, way)
    status = member.status(queue).json()
    assert (status["status"], status["position"], status["consumerId"]) == ("ADMITTED", 0, member.id)
    for token, name in itertools.product((old, status["admissionToken"]), (guest.id, member.id)):
        verdict = validate(world, queue, name, token)
        assert (verdict["valid"], verdict["consumerId"]) == (True, member.id)
        assert verdict["expiresAt"] == status["expiresAt"]
    assert validate(world, queue, stranger.id, old)["code"] == "CONSUMER_MISMATCH"
    assert validate(world, world.queue(), member.id, old)["code"] == "WRONG_DISTRIBUTION"
    clock.shift(600)
    assert validate(world, queue, member.id, old)["code"] == "TOKEN_EXPIRED"


def test_the_shop_may_name_either_id(world: World, clock: Any) -> None:
    queues, server = [world.queue() for _ in range(4)], world.server()
    guest = world.consumer()
    for queue in queues:
        server.post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
    token = guest.status(queues[0]).json()["admissionToken"]
    member = become(world, guest)
    moves = itertools.product(("complete", "deny"), (guest.id, member.id))
    for queue, (verb, name) in zip(queues, moves, strict=True):
        body = {"consumerId": name} | ({"reason": "FRAUD_DETECTED"} if verb == "deny" else {})
        for _ in range(2):
            answer = server.post(f"/queues/{queue.pk}/{verb}", body).json()
            assert answer["consumerId"] == member.id
            assert answer["status"] == {"complete": "COMPLETED", "deny": "DENIED"}[verb]
        require_true_tally(queue)
    assert validate(world, queues[0], guest.id, token)["code"] == "TOKEN_USED"
    admitted = server.post(f"/queues/{world.queue().pk}/admit", {"consumerId": guest.id}).json()
    assert (admitted["status"], admitted["consumerId"]) == ("ADMITTED", member.id)
    for name in (guest.id, member.id):
        assert server.get(f"/consumers/{name}").json()["id"] == member.id


# --- the guest's session ---


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_redis_away", [False, True])
def test_the_guests_tokens_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, way: str, is_redis_away: bool
) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    successor = world.shop_front().post("/auth/refresh", {"refreshToken": guest.refresh_token}).json()
    monkeypatch.setattr(settings, "REDIS_URL", NOBODY if is_redis_away else settings.REDIS_URL)
    redis.reset()

    member = become(world, guest, way)
    holders = [guest, ConsumerClient(world.publishable, successor["accessToken"], {})]
    for holder in holders:
        for answer in (
            holder.enter(queue),
            holder.status(queue),
            holder.leave(queue),
            holder.get("/consumers/me"),
            holder.get("/organizations/current"),
            holder.post(f"/experiences/{world.sequence.experience_id}/enter"),
            holder.post("/auth/logout"),
            holder.post(EXCHANGE, {"exchangeCode": world.authorize("4711").json()["exchangeCode"]}),
        ):
            assert_error(answer, 401, "Authentication required")
    for token in (guest.refresh_token, successor["refreshToken"]):
        answer = world.shop_front().post("/auth/refresh", {"refreshToken": token})
        assert_error(answer, 401, "invalid refresh token")
    assert member.status(queue).json()["position"] == 1
    assert Event.objects.get(name="session.ended").data["reason"] == "merged"
    monkeypatch.undo()
    redis.reset()


def test_a_refused_sign_in_leaves_the_guest_as_they_were(world: World) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    get_code(world)
    assert_error(verify(world, "abcdef", by=guest), 401, "otp_invalid")
    assert_error(guest.post(EXCHANGE, {"exchangeCode": "exc_nope"}), 401, "invalid_exchange_code")
    code = make_world().authorize("4711").json()["exchangeCode"]
    assert_error(guest.post(EXCHANGE, {"exchangeCode": code}), 401, "invalid_exchange_code")
    assert guest.status(queue).json()["position"] == 1
    assert not Event.objects.filter(name="consumer.merged").exists()


def test_a_guest_of_another_organization_is_not_taken_along(world: World) -> None:
    other = make_world()
    queue, stranger = other.queue(), other.consumer()
    stranger.enter(queue)
    code = world.authorize("4711").json()["exchangeCode"]
    mixed = ApiClient({"X-Publishable-Key": world.publishable, "Authorization": f"Bearer {stranger.token}"})
    assert_error(mixed.post(EXCHANGE, {"exchangeCode": code}), 401, "Authentication required")
    get_code(world)
    assert_error(verify(world, "000000", by=mixed), 401, "Authentication required")
    assert stranger.status(queue).json()["position"] == 1
    assert not Consumer.objects.exclude(merged_into=None).exists()


@pytest.mark.parametrize("way", WAYS)
def test_somebody_signed_in_is_not_merged(world: World, clock: Any, way: str) -> None:
    """The token of a consumer who is somebody already opens another session and moves nothing."""
    queue, somebody = world.queue(), world.member(subject="somebody")
    somebody.enter(queue)
    other = become(world, somebody, way)
    assert other.id != somebody.id
    assert_error(other.status(queue), 404, "Consumer not in queue")
    assert somebody.status(queue).json()["position"] == 1
    assert not Event.objects.filter(name="consumer.merged").exists()
    clock.shift(60)
    assert become(world, other, way).id == other.id


def test_two_guests_of_one_person(world: World, clock: Any) -> None:
    """Telephone and notebook: one place stays, and the older ids lead to the person."""
    queue, guests = world.queue(), [world.consumer() for _ in range(3)]
    for guest in guests:
        guest.enter(queue)
        clock.shift(1)
    people = {become(world, guest, way).id for guest, way in zip(guests[::-1], ["exchange"] * 3, strict=True)}
    (person,) = people
    live = Participation.objects.filter(distribution_id=queue.pk, status__in=LIVE)
    assert [row.place for row in live] == [1]
    assert {world.server().get(f"/consumers/{guest.id}").json()["id"] for guest in guests} == people
    assert [row.status for row in stored(queue, person)] == ["QUEUED", "LEFT", "LEFT"]
    require_true_tally(queue)


# --- both in one queue ---

OVER = ("NONE", "LEFT", "EXPIRED")  # whoever stands so may enter again
STATES = ("NONE", "QUEUED", "ADMITTED", "COMPLETED", "DENIED", "LEFT", "EXPIRED")
PAIRS = list(itertools.product(STATES, STATES))  # of the guest, of the consumer


def expected(theirs: str, mine: str, is_guest_first: bool) -> tuple[str, str, str]:
    """Whose participation counts afterwards, how it stands, and who left."""
    if theirs in OVER:
        return "mine", mine, "nobody"
    if mine in OVER:
        return "theirs", theirs, "nobody"
    if theirs in LIVE and mine in LIVE:
        return ("theirs", theirs, "mine") if is_guest_first else ("mine", mine, "theirs")
    if theirs == "COMPLETED" and mine in LIVE:
        return "theirs", theirs, "mine"
    return "mine", mine, "theirs" if theirs in LIVE else "nobody"


class Both:
    """Guest and consumer in one queue per pair of states, with people before, between and behind them."""

    def __init__(self, world: World, clock: Any, *, is_guest_first: bool) -> None:
        self.world, self.clock, self.server = world, clock, world.server()
        self.guest, self.member = world.consumer(), world.member(subject="4711")
        self.others = [world.consumer() for _ in range(3)]
        self.queues = {pair: world.queue(session_seconds=60) for pair in PAIRS}
        order = (self.guest, self.member) if is_guest_first else (self.member, self.guest)
        before, between, behind = self.others
        for who in (before, order[0], between, order[1], behind):
            for pair, queue in self.queues.items():
                if self.state(pair, who) != "NONE":
                    who.enter(queue)
            clock.shift(1)
        self.entries = {pair: {who: self.entry(pair, who) for who in order} for pair in PAIRS}
        self.each(lambda state: state == "EXPIRED")
        clock.shift(60)
        self.each(lambda state: state not in ("NONE", "QUEUED", "EXPIRED"))

    def state(self, pair: tuple[str, str], who: ConsumerClient) -> str:
        return pair[0] if who is self.guest else pair[1] if who is self.member else "QUEUED"

    def entry(self, pair: tuple[str, str], who: ConsumerClient) -> Participation | None:
        return next(iter(stored(self.queues[pair], who.id)), None)

    def each(self, is_meant: Any) -> None:
        for pair, queue in self.queues.items():
            for who in (self.guest, self.member):
                state = self.state(pair, who)
                if is_meant(state):
                    self.move(queue, who, state)

    def move(self, queue: Distribution, who: ConsumerClient, state: str) -> None:
        if state == "LEFT":
            who.leave(queue)
        elif state == "DENIED":
            self.server.post(f"/queues/{queue.pk}/deny", {"consumerId": who.id, "reason": "FRAUD_DETECTED"})
        else:
            self.server.post(f"/queues/{queue.pk}/admit", {"consumerId": who.id})
        if state == "COMPLETED":
            self.server.post(f"/queues/{queue.pk}/complete", {"consumerId": who.id})

    def positions(self) -> dict[tuple[str, str], list[int]]:
        return {
            pair: [who.status(queue).json()["position"] for who in self.others]
            for pair, queue in self.queues.items()
        }

    def statuses(self) -> dict[tuple[str, str], tuple[Any, ...]]:
        """How the consumer stands, by the status endpoint."""
        found = {}
        for pair, queue in self.queues.items():
            body = self.member.status(queue).json()
            found[pair] = tuple(body.get(name) for name in ("status", "enteredAt", "position", "denyReason"))
        return found


@pytest.mark.parametrize("is_guest_first", [True, False])
def test_both_in_one_queue(world: World, clock: Any, is_guest_first: bool) -> None:
    both = Both(world, clock, is_guest_first=is_guest_first)
    for _ in range(2):
        tasks.watch_redis()
    before = both.positions()
    last = Event.objects.latest("id").id

    assert become(world, both.guest).id == both.member.id

    for pair, queue in both.queues.items():
        whose, status, loser = expected(*pair, is_guest_first)
        entries = both.entries[pair]
        row = entries[both.guest if whose == "theirs" else both.member]
        if row is None:
            with pytest.raises(errors.NotEntered):
                lifecycle.latest(queue, both.member.id)
        else:
            standing = lifecycle.latest(queue, both.member.id)
            told = (standing.id, standing.entered_at, str(standing.status))
            assert told == (row.pk, row.entered_at, "DENIED" if status == "EXPIRED" else status), pair
        left = [event for event in events_of(queue) if event.id > last and event.name.endswith(".left")]
        losers = {"mine": [both.member.id], "theirs": [both.guest.id], "nobody": []}[loser]
        assert [event.consumer_id for event in left] == losers, pair
        assert {event.actor for event in left} <= {f"consumer:{both.member.id}"}
        assert not [row for row in stored(queue, both.guest.id) if row.status in LIVE], pair
        require_true_tally(queue)
    after = both.positions()
    assert all(new <= old for pair in PAIRS for new, old in zip(after[pair], before[pair], strict=True))
    _require_one_truth(both, after)
    _require_entering_again(both, is_guest_first)


def _require_one_truth(both: Both, others: dict[tuple[str, str], list[int]]) -> None:
    """Redis, PostgreSQL, and Redis rebuilt from it say the same of everybody."""
    known = both.statuses()
    redis.client().flushdb()
    assert both.statuses() == known
    redis.client().flushdb()
    tasks.watch_redis()
    assert both.statuses() == known
    assert both.positions() == others
    for pair, queue in both.queues.items():
        if known[pair][0] == "QUEUED":
            assert positions(queue)[both.member.id] == known[pair][2], pair


def _require_entering_again(both: Both, is_guest_first: bool) -> None:
    """Whoever has one that counts keeps it; whoever has none gets a new place at the end."""
    for pair, queue in both.queues.items():
        _, status, _ = expected(*pair, is_guest_first)
        known = both.member.status(queue).json()
        body = both.member.enter(queue).json()
        assert both.member.status(queue).json()["status"] == body["status"], pair
        if status in OVER:
            assert (body["status"], body["position"]) == ("QUEUED", len(positions(queue))), pair
        else:
            assert (body["status"], body["enteredAt"]) == (status, known["enteredAt"]), pair
        require_true_tally(queue)


def test_an_admission_whose_time_is_over_comes_along_as_over(world: World, clock: Any) -> None:
    """The sweep has not been yet: the admission goes back to the line, and nobody has two."""
    queue, guest = world.queue(session_seconds=60), world.consumer()
    world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
    clock.shift(60)
    member = become(world, guest)
    assert_error(member.status(queue), 404, "Consumer not in queue")
    assert member.enter(queue).json()["status"] == "QUEUED"
    tally = require_true_tally(queue)
    assert (tally.inside, tally.returned) == (0, 1)


def test_a_merged_place_goes_through_to_the_end(world: World, clock: Any) -> None:
    """The older row wins over a newer one that Redis knows: it is admitted, completed and told as such."""
    queue, guest, member = world.queue(session_seconds=600), world.consumer(), world.member(subject="4711")
    guest.enter(queue)
    clock.shift(1)
    member.enter(queue)
    become(world, guest)
    server = world.server()
    server.post(f"/queues/{queue.pk}/admit", {"consumerId": member.id})
    tasks.watch_redis()
    tasks.reconcile_redis()
    admitted = member.status(queue).json()
    assert (admitted["status"], admitted["position"]) == ("ADMITTED", 0)
    assert validate(world, queue, guest.id, admitted["admissionToken"])["valid"] is True
    server.post(f"/queues/{queue.pk}/complete", {"consumerId": guest.id})
    tasks.reconcile_redis()
    assert member.status(queue).json()["status"] == member.enter(queue).json()["status"] == "COMPLETED"
    require_true_tally(queue)


# --- experiences ---


def enter_experience(world: World, who: ConsumerClient, code: str = "") -> Any:
    return who.post(f"/experiences/{world.sequence.experience_id}/enter", {"accessCode": code}).json()


def test_a_guests_visit_comes_along(world: World, clock: Any) -> None:
    guest = world.consumer()
    entered = enter_experience(world, guest)["enteredAt"]
    clock.shift(60)
    member = become(world, guest)
    shown = member.get("/consumers/me").json()["active"]["experiences"]
    assert shown[world.sequence.experience_id]["enteredAt"] == entered
    assert enter_experience(world, member)["enteredAt"] == entered


@pytest.mark.parametrize("is_guest_first", [True, False])
def test_of_two_visits_one_goes_on_from_the_earlier_instant(
    world: World, clock: Any, is_guest_first: bool
) -> None:
    guest, member = world.consumer(), world.member(subject="4711")
    first, second = (guest, member) if is_guest_first else (member, guest)
    entered = enter_experience(world, first)["enteredAt"]
    clock.shift(60)
    enter_experience(world, second)
    become(world, guest)
    assert enter_experience(world, member)["enteredAt"] == entered
    assert Visit.objects.filter(left_at=None).count() == 1
    path = f"/experiences/{world.sequence.experience_id}/leave"
    assert [member.delete(path).json()["left"] for _ in range(2)] == [True, False]


def test_a_used_code_stays_used_and_open(world: World, clock: Any) -> None:
    friends = world.sequence_with("friends", priority=5)
    codes = access_codes.generate(friends, 2, now=time.now(), actor="staff:1")
    guest, member = world.consumer(), world.member(subject="4711")
    assert enter_experience(world, guest, codes[0])["sequenceId"] == friends.id
    assert enter_experience(world, member)["sequenceId"] == world.sequence.id
    become(world, guest)
    assert enter_experience(world, member)["sequenceId"] == friends.id
    stranger = world.consumer()
    assert enter_experience(world, stranger, codes[0])["sequenceId"] == world.sequence.id


def test_a_code_used_by_both_is_one_use_of_the_person(world: World, clock: Any) -> None:
    friends = world.sequence_with("friends", priority=5)
    access_codes.share(friends, "WELCOME", now=time.now(), actor="staff:1")
    guest, member = world.consumer(), world.member(subject="4711")
    for one in (guest, member):
        assert enter_experience(world, one, "welcome")["sequenceId"] == friends.id
    become(world, guest)
    assert enter_experience(world, member)["sequenceId"] == friends.id
    assert list(Redemption.objects.filter(consumer_id=member.id).values_list("consumer_id", flat=True)) == [
        member.id
    ]


def test_a_guest_in_a_members_line_by_code_and_name(world: World, clock: Any) -> None:
    """Signing in opens what signing in opens, and what was open before stays so."""
    members = world.sequence_with("members", priority=5, requires_authentication=True)
    guest = world.consumer()
    assert enter_experience(world, guest)["sequenceId"] == world.sequence.id
    member = become(world, guest, "code")
    assert enter_experience(world, member)["sequenceId"] == members.id
    shown = world.server().get(f"/consumers/{guest.id}").json()
    assert (shown["id"], shown["email"], shown["isGuest"]) == (member.id, ADA, False)
