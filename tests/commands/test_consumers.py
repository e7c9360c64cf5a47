"""`manage.py consumers`: all that is known of a person comes out; erasing leaves nothing that names them."""

import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from auth_otp.models import OtpAddress, OtpChallenge
from consumers.models import Consumer, ExchangeCode, Identity, Message, Redemption, Session
from distributions.core import lifecycle
from distributions.core.models import Distribution, Participation
from experiences import access_codes, audiences
from experiences.models import AccessCode, AudienceMember, Event
from fanfare import clock as time
from fanfare import errors, redis, sealing
from tests import notices
from tests.api import mailbox
from tests.api.servers import postgresql_away, redis_away
from tests.console.conftest import Console, make_user
from tests.lines import require_true_tally, stored
from tests.traces import redis_keys_with, tables_with
from tests.world import ConsumerClient, World, assert_error, make_world

EMAIL, PHONE, NAME, SUBJECT = "ada@example.com", "+4915123456789", "Ada Lovelace", "shop-no-4711"
DEVICE, SEAT, ORDER, WORDS = "fp_adas_telephone", "row 7 for Ada", "order-ada-1", "Ada L. sells them on"

# By what a row is about a person, and where the export tells it.
EXPORTED = {
    "consumers_consumer": "consumers",
    "consumers_identity": "identities",
    "consumers_session": "sessions",
    "consumers_exchangecode": "exchangeCodes",
    "consumers_visit": "visits",
    "consumers_redemption": "accessCodesUsed",
    "experiences_accesscode": "accessCodesMade",
    "experiences_audiencemember": "audiences",
    "experiences_event": "trace",
    "distributions_participation": "participations",
    "distributions_bid": "bids",
    "auth_otp_otpaddress": "addresses",
    "auth_otp_otpchallenge": "codesSent",
    "consumers_message": "messages",
}
NOT_EXPORTED = {
    "auth_otp_outboxmessage": "what `codesSent` tells, with the code; shown on a developer's machine alone",
}
OF_STAFF = {"experiences_staffsession"}  # whose `address` is of their browser


@dataclass
class Ada:
    """Somebody who has left something everywhere, and the queues where she stands."""

    browser: ConsumerClient
    guest: ConsumerClient
    live: Distribution
    auction: Distribution
    inside: Distribution
    done: Distribution
    denied: Distribution
    device: str

    @property
    def id(self) -> str:
        return self.browser.id

    @property
    def needles(self) -> list[str]:
        return [EMAIL, PHONE, NAME, SUBJECT, SEAT, ORDER, WORDS, self.device]


def run(*words: str, refused: bool = False) -> tuple[str, str]:
    """What it printed on standard output and standard error; refused: the sentence instead."""
    out, err = io.StringIO(), io.StringIO()
    if refused:
        with pytest.raises(CommandError) as problem:
            call_command("consumers", *words, stdout=out, stderr=err)
        return str(problem.value), err.getvalue()
    call_command("consumers", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def export(consumer_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("export", consumer_id)[0])
    return found


def erase(consumer_id: str) -> str:
    return run("erase", consumer_id, "--yes", "--claimed-too")[0]


@pytest.fixture
def ada(world: World, clock: Any, settings: Any) -> Ada:
    """Through the front doors: a guest first, then named by the shop, then in all states at once."""
    settings.EMAIL_BACKEND = "auth_otp.outbox.EmailBackend"
    live, inside, done, denied = (world.queue(session_seconds=600) for _ in range(4))
    guest = world.consumer(**{"X-Fingerprint": DEVICE})
    guest.post(f"/queues/{live.pk}/enter", {"metadata": {"seat": SEAT}})
    auction = world.auction()
    guest.bid(auction, "100.00", "500.00", key="ada-1")
    browser = world.member(EMAIL, subject=SUBJECT, guest=guest, phone=PHONE, name=NAME)
    browser.headers["X-Fingerprint"] = DEVICE
    server = world.server()
    for queue in (inside, done, denied):
        browser.enter(queue)
    for queue in (inside, done):
        server.post(f"/queues/{queue.pk}/admit", {"consumerId": browser.id})
    server.post(f"/queues/{done.pk}/complete", {"consumerId": browser.id, "orderId": ORDER})
    server.post(f"/queues/{denied.pk}/deny", {"consumerId": browser.id, "reason": WORDS})
    _put_on_lists(world, browser)
    for address in (EMAIL, PHONE):
        mailbox.ask(world, address, name=NAME)
    notices.post(browser, context={"text": f"{NAME}, it is your turn."})
    world.authorize(SUBJECT)
    hashed = sealing.keyed_hash(f"fingerprint:{world.organization.pk}", DEVICE.encode())[:16]
    return Ada(browser, guest, live, auction, inside, done, denied, hashed.hex())


def _put_on_lists(world: World, browser: ConsumerClient) -> None:
    now = time.now()
    keys = [audiences.key(kind, text) for kind, text in
            ((audiences.EMAIL, EMAIL), (audiences.PHONE, PHONE), (audiences.EXTERNAL, SUBJECT))]  # fmt: skip
    members = world.sequence_with("members")
    audiences.add(members, keys, now=now, actor="staff:1")
    coded = world.sequence_with("coded", priority=5)
    [text] = access_codes.generate(coded, 1, now=now, actor="staff:1")
    over = now + dt.timedelta(hours=1)
    access_codes.make_personal(coded, [browser.id], now=now, expires_at=over, label="For Ada's waiting")
    experience = world.sequence.experience_id
    assert browser.post(f"/experiences/{experience}/enter", {"accessCode": text}).status_code == 200


def rows_about(ada: Ada) -> set[str]:
    """The tables in which she is, by any of her names or her ids."""
    return set().union(*(tables_with(text) for text in [*ada.needles, ada.id, ada.guest.id]))


# --- Export ---------------------------------------------------------------------------------------
def test_she_is_everywhere(ada: Ada) -> None:
    """A control: what is found nowhere proves nothing, afterwards, by not being found."""
    for needle in ada.needles:
        assert tables_with(needle), needle
    assert redis_keys_with(WORDS) == {redis.standings(ada.denied.pk)}
    assert tables_with(EMAIL) >= {
        "consumers_consumer", "auth_otp_otpaddress", "auth_otp_otpchallenge", "auth_otp_outboxmessage",
        "experiences_audiencemember",
    }  # fmt: skip


def test_each_table_about_her_is_exported_or_says_why_not(ada: Ada) -> None:
    assert rows_about(ada) == EXPORTED.keys() | NOT_EXPORTED.keys()
    exported = export(ada.id)
    assert all(exported[name] for name in EXPORTED.values())


def test_each_table_that_points_at_consumers_is_known() -> None:
    """A new one must be exported and erased, or say why not."""
    words = {"consumer_id", "email", "phone", "address", "subject"}
    pointing = set()
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            foreign = isinstance(column, models.ForeignKey) and column.related_model is Consumer
            ours = model._meta.app_label in {"consumers", "auth_otp", "experiences", "distributions"}
            if foreign or (ours and column.attname in words):
                pointing.add(model._meta.db_table)
    about = EXPORTED.keys() | NOT_EXPORTED.keys()
    assert pointing - OF_STAFF == about - {"experiences_audiencemember"}  # whose column is a `key`


def test_the_export_tells_all_and_nothing_that_is_a_key(ada: Ada, world: World) -> None:
    text, told = run("export", ada.id)
    assert told == ""
    for needle in (EMAIL, PHONE, NAME, SUBJECT, SEAT, ORDER, WORDS):
        assert needle in text
    found = json.loads(text)
    assert {row["id"] for row in found["consumers"]} == {ada.id, ada.guest.id}
    assert {row["status"] for row in found["participations"]} == {
        "QUEUED", "ADMITTED", "COMPLETED", "DENIED"
    }  # fmt: skip
    assert {row["key"] for row in found["audiences"]} == {f"email:{EMAIL}", f"external:{SUBJECT}"}
    assert {row["consumerId"] for row in found["trace"]} == {ada.id, ada.guest.id}
    assert found["traceIsCut"] is False
    [message] = found["messages"]
    assert (message["reference"], message["consumerId"], message["sentAt"]) == ("reminder:1", ada.id, None)
    [bid] = found["bids"]
    assert (bid["amount"], bid["currencyCode"], bid["price"]) == (10_000, "EUR", None)
    assert "maxAmount" not in bid  # before it is settled, whoever reads this could bid just below
    _require_no_secret(text, ada, world)


def _require_no_secret(text: str, ada: Ada, world: World) -> None:
    """No hash, salt, box, token or code, in any spelling of the bytes."""
    hidden = [bytes(value) for value in _bytes_of(ada)] + [bytes.fromhex(ada.device)]
    assert len(hidden) > 10
    for secret in hidden:
        assert secret.hex() not in text.lower()
        assert repr(secret)[2:-1] not in text
    digests = ExchangeCode.objects.values_list("digest", flat=True)
    tokens = [ada.browser.token, ada.browser.refresh_token, ada.guest.refresh_token, world.secret]
    for word in [*digests, *tokens, mailbox.last_code(PHONE) + " is your code"]:
        assert word not in text
    assert not [word for word in ("digest", "salt", "box", '"text"', "token") if word in text.lower()]


def _bytes_of(ada: Ada) -> Iterator[bytes]:
    people = [ada.id, ada.guest.id]
    for model, known in (
        (Session, {"consumer_id__in": people}),
        (OtpChallenge, {"address__in": [EMAIL, PHONE]}),
        (AccessCode, {}),
        (Message, {"consumer_id__in": people}),
        (Participation, {"consumer_id__in": people}),
    ):
        for row in model._default_manager.filter(**known):
            for column in model._meta.concrete_fields:
                value = getattr(row, column.attname)
                if isinstance(value, bytes | memoryview):
                    yield bytes(value)


def test_a_guests_id_leads_to_whom_they_became(ada: Ada) -> None:
    assert export(ada.guest.id) == export(ada.id)


def test_an_address_that_she_never_proved_tells_nothing_of_its_owner(world: World, clock: Any) -> None:
    """Who writes another's address into a shop's profile learns neither lists nor sign-ins from an export."""
    sequence = world.sequence_with("members")
    audiences.add(sequence, [f"email:{EMAIL}"], now=time.now(), actor="staff:1")
    mailbox.ask(world, EMAIL)
    pretender = world.member(subject="x", email=EMAIL, email_verified=False)
    found = export(pretender.id)
    assert found["consumers"][0]["email"] == EMAIL
    assert (found["audiences"], found["addresses"], found["codesSent"]) == ([], [], [])


# --- Erase ----------------------------------------------------------------------------------------
def test_nothing_that_names_her_is_left_anywhere(ada: Ada) -> None:
    assert erase(ada.id) == f"{ada.id} is erased.\n"
    assert {needle: tables_with(needle) for needle in ada.needles} == dict.fromkeys(ada.needles, set())
    assert {needle: redis_keys_with(needle) for needle in ada.needles} == dict.fromkeys(ada.needles, set())
    for model in (Identity, ExchangeCode, Message, Redemption):
        assert not model._default_manager.filter(consumer_id__in=[ada.id, ada.guest.id]).exists()


def test_not_in_what_the_console_keeps_either(ada: Ada, world: World) -> None:
    """Neither history, nor Django's log, nor the sessions of staff who had to do with her."""
    owner: Console = make_user("olga", world.organization, "owner")
    waiting = stored(ada.live, ada.id)[0]
    page = owner.press("distributions_participation", waiting, "deny", reason=WORDS)
    assert page.status_code == 200
    session = Session.objects.filter(consumer_id=ada.id, ended_at=None)[0]
    assert owner.press("consumers_session", session, "revoke").status_code == 200
    erase(ada.id)
    for needle in ada.needles:
        assert (tables_with(needle), redis_keys_with(needle)) == (set(), set())


def test_her_places_are_given_up_and_nobody_stands_worse(ada: Ada, world: World) -> None:
    others = [world.consumer() for _ in range(3)]
    for queue in (ada.live, ada.inside):
        for one in others:
            one.enter(queue)
    before = {
        (queue.pk, one.id): one.status(queue).json()["position"]
        for queue in (ada.live, ada.inside)
        for one in others
    }
    erase(ada.id)
    after = {
        (queue.pk, one.id): one.status(queue).json()["position"]
        for queue in (ada.live, ada.inside)
        for one in others
    }
    assert [after[key] for key in before] == [1, 2, 3, 1, 2, 3]
    assert all(after[key] <= before[key] for key in before)
    for queue, status in (
        (ada.live, "LEFT"), (ada.inside, "LEFT"), (ada.done, "COMPLETED"), (ada.denied, "DENIED"),
    ):  # fmt: skip
        [row] = stored(queue, ada.id)
        assert row.status == status
        require_true_tally(queue)


def test_an_admission_whose_time_is_over_expires_instead_of_being_left(ada: Ada, clock: Any) -> None:
    clock.shift(601)
    erase(ada.id)
    [row] = stored(ada.inside, ada.id)
    assert (row.status, row.deny_reason) == ("DENIED", "ADMISSION_EXPIRED")
    require_true_tally(ada.inside)


def test_the_trace_stays_and_tells_of_it(ada: Ada) -> None:
    before = list(Event.objects.order_by("id").values())
    erase(ada.id)
    after = list(Event.objects.order_by("id").values())
    assert after[: len(before)] == before
    [told] = [row for row in after if row["name"] == "consumer.erased"]
    assert (told["consumer_id"], told["actor"], told["data"]) == (ada.id, "system:consumers erase", {})


def test_her_sessions_end_at_once(ada: Ada, world: World) -> None:
    second = world.member(subject=SUBJECT)
    assert second.id == ada.id
    erase(ada.id)
    for browser in (ada.browser, second, ada.guest):
        assert_error(browser.get("/consumers/me"), 401, "Authentication required")
        assert_error(browser.status(ada.live), 401, "Authentication required")
        assert_error(browser.enter(ada.live), 401, "Authentication required")
        refused = world.shop_front().post("/auth/refresh", {"refreshToken": browser.refresh_token})
        assert_error(refused, 401, "invalid refresh token")


@pytest.mark.parametrize("who", ["ada", "guest"])
def test_nobody_finds_her_any_more(ada: Ada, world: World, who: str) -> None:
    erase(ada.id)
    consumer_id = ada.id if who == "ada" else ada.guest.id
    server = world.server()
    assert_error(server.get(f"/consumers/{consumer_id}"), 404, "Consumer not found")
    for queue in (ada.live, ada.inside, ada.done):
        for verb, more in (("admit", {}), ("complete", {}), ("deny", {"reason": "X"})):
            answer = server.post(f"/queues/{queue.pk}/{verb}", {"consumerId": consumer_id, **more})
            assert_error(answer, 404, "Consumer not found")


def test_her_admission_token_admits_nobody(ada: Ada, world: World) -> None:
    token = ada.browser.status(ada.inside).json()["admissionToken"]
    erase(ada.id)
    headers = {"X-Fingerprint": DEVICE}
    asked = {"consumerId": ada.id, "token": token}
    answer = world.server().post(f"/queues/{ada.inside.pk}/validate", asked, **headers).json()
    assert answer["valid"] is False


def test_codes_that_are_out_sign_nobody_in(world: World, clock: Any) -> None:
    code = mailbox.get_code(world)
    first = world.signed_in(mailbox.verify(world, code))
    clock.shift(60)
    code = mailbox.get_code(world)
    named = world.authorize(SUBJECT).json()["exchangeCode"]
    by_shop = world.member(subject=SUBJECT)
    for consumer_id in (first.id, by_shop.id):
        erase(consumer_id)
    assert_error(mailbox.verify(world, code), 401, "otp_invalid")
    refused = world.shop_front().post("/auth/external/exchange", {"exchangeCode": named})
    assert_error(refused, 401, "invalid_exchange_code")


def test_the_same_address_is_somebody_new(world: World, clock: Any) -> None:
    first = world.signed_in(mailbox.verify(world, mailbox.get_code(world)))
    by_shop = world.member(subject=SUBJECT)
    for consumer_id in (first.id, by_shop.id):
        erase(consumer_id)
    again = world.signed_in(mailbox.verify(world, mailbox.get_code(world)))
    assert again.id != first.id
    assert world.authorize(SUBJECT).json()["resolution"] == "created"
    assert world.member(subject=SUBJECT).id != by_shop.id


def test_repeating_changes_nothing(ada: Ada) -> None:
    erase(ada.id)
    before = [list(model._default_manager.order_by("pk").values()) for model in apps.get_models()]
    assert erase(ada.id) == f"{ada.id} was erased.\n"
    assert erase(ada.guest.id) == f"{ada.id} was erased.\n"
    assert [list(model._default_manager.order_by("pk").values()) for model in apps.get_models()] == before
    assert run("export", ada.id, refused=True)[0] == f"{ada.id} is erased: nothing is known of them."


def test_redis_that_was_away_forgets_when_it_is_repeated(ada: Ada) -> None:
    with redis_away():
        erase(ada.id)
    assert redis_keys_with(WORDS)
    erase(ada.id)
    assert redis_keys_with(WORDS) == set()


def test_an_unmerged_guest(world: World, clock: Any) -> None:
    guest, queue = world.consumer(), world.queue()
    guest.post(f"/queues/{queue.pk}/enter", {"metadata": {"seat": SEAT}})
    erase(guest.id)
    assert tables_with(SEAT) == set()
    [row] = stored(queue, guest.id)
    assert (row.status, row.fingerprint) == ("LEFT", None)
    assert_error(guest.status(queue), 401, "Authentication required")


def test_another_shops_customer_of_the_same_address(ada: Ada) -> None:
    other = make_world()
    same = other.member(EMAIL, subject=SUBJECT, phone=PHONE, name=NAME)
    audiences.add(other.sequence, [f"email:{EMAIL}"], now=time.now(), actor="staff:1")
    mailbox.ask(other, EMAIL, name=NAME)
    before = (other.server().get(f"/consumers/{same.id}").json(), export(same.id))
    erase(ada.id)
    assert (other.server().get(f"/consumers/{same.id}").json(), export(same.id)) == before
    assert same.get("/consumers/me").status_code == 200


# --- An address of two ----------------------------------------------------------------------------
def test_what_somebody_else_proved_stays_theirs(world: World, clock: Any) -> None:
    """Erasing one who merely said to have an address takes nothing from who has it; the command tells."""
    owner = world.signed_in(mailbox.verify(world, mailbox.get_code(world)))
    pretender = world.member(subject="x", email=EMAIL, email_verified=False)
    audiences.add(world.sequence_with("members"), [f"email:{EMAIL}"], now=time.now(), actor="staff:1")
    before = export(owner.id)
    told = run("erase", pretender.id, "--yes")[1]
    assert owner.id in told
    assert export(owner.id) == before
    assert before["audiences"] and before["codesSent"] and before["addresses"]
    assert run("erase", owner.id, "--yes")[1] == ""
    assert tables_with(EMAIL) == set()


def test_an_address_that_was_only_said_is_forgotten_where_nobody_else_has_it(
    world: World, clock: Any
) -> None:
    audiences.add(world.sequence_with("members"), [f"email:{EMAIL}"], now=time.now(), actor="staff:1")
    mailbox.ask(world, EMAIL)
    said = world.member(subject="x", email=EMAIL, email_verified=False)
    erase(said.id)
    assert tables_with(EMAIL) == set()
    assert not AudienceMember.objects.exists() and not OtpAddress.objects.exists()


def test_an_address_that_was_only_said_may_be_somebody_elses(world: World, clock: Any) -> None:
    """Whoever claims somebody's address and is erased takes neither their place nor their code along."""
    audiences.add(world.sequence_with("members"), [f"email:{EMAIL}"], now=time.now(), actor="staff:1")
    code = mailbox.get_code(world)
    assert run("erase", world.member(subject="x", email=EMAIL, email_verified=False).id, "--yes")[1] == ""
    assert AudienceMember.objects.count() == 1
    assert mailbox.verify(world, code).status_code == 200


def test_a_customer_number_that_is_an_address(world: World, clock: Any) -> None:
    """Whichever kind the list's maker took it for."""
    member = world.member(subject="Ada@Example.com")
    audiences.add(world.sequence_with("members"), [f"email:{EMAIL}"], now=time.now(), actor="staff:1")
    erase(member.id)
    assert tables_with(EMAIL) == set()


# --- Who comes too late ---------------------------------------------------------------------------
def test_an_entry_under_way_finds_nobody(world: World, clock: Any) -> None:
    """Nor does one that the device limit would turn away: it would keep the device."""
    queue = world.queue(max_entries_per_fingerprint=1)
    world.consumer().enter(queue)
    late = world.consumer()
    erase(late.id)
    for device in (b"another device..", bytes(Participation.objects.get().fingerprint or b"")):
        with pytest.raises(errors.NotAuthenticated):
            lifecycle.enter(queue, late.id, now=time.now(), actor="x", fingerprint=device)
    assert stored(queue, late.id) == []


# --- The command ----------------------------------------------------------------------------------
def test_it_asks_first(ada: Ada, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    for answer in ("\n", "y\n", "no\n", ""):  # the last: nobody is there
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert run("erase", ada.id, refused=True)[0] == "Nothing was changed."
    asked = capsys.readouterr().out
    assert EMAIL in asked and ada.id in asked
    assert ada.browser.get("/consumers/me").status_code == 200
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert run("erase", ada.id)[0] == f"{ada.id} is erased.\n"


@pytest.mark.parametrize("deed", ["export", "erase"])
@pytest.mark.parametrize("consumer_id", ["cons_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nobody", "' OR 1=1"])
def test_nobody_of_that_id(transactional_db: None, deed: str, consumer_id: str) -> None:
    assert run(deed, consumer_id, "--yes", refused=True)[0] == f"There is no consumer {consumer_id}."


def test_without_postgresql(transactional_db: None) -> None:
    with postgresql_away():
        told, _ = run("export", "cons_01ARZ3NDEKTSV4RRFFQ69G5FAV", refused=True)
    assert told.startswith("PostgreSQL did not do it, nothing was changed")
