"""Nothing secret is printed: whole flows, wrong secrets and crashes, in both log formats and at DEBUG.

The development's outbox (`auth_otp.outbox`) prints codes on purpose and is left out: no provider, no secret.
"""

import io
import json
import logging
import re
import smtplib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection

from auth_otp import delivery, tasks
from experiences import access_codes, keys
from experiences.models import KeyKind, KeyMode
from fanfare import clock as time
from fanfare import logs
from tests.api.mailbox import ADA, FAILING, PHONE, ask, browser, get_code, verify, wrong
from tests.contract.forgeries import tampered, without_signature
from tests.world import EXCHANGE, ApiClient, ConsumerClient, World

BOB, EVE, DEVICE = "bob@example.com", "eve@example.com", "fp_the-device-of-ada"
CODE = re.compile(r"\d{6}")


class Refusing(BaseEmailBackend):
    """A mail server that names the recipient whom it refuses."""

    def send_messages(self, messages: Sequence[Any]) -> int:
        raise smtplib.SMTPRecipientsRefused({messages[0].to[0]: (550, b"no such user")})


@dataclass
class Printed:
    """What was printed in each format, and all that must not be in it, by what it is."""

    streams: dict[str, io.StringIO]
    secrets: dict[str, str] = field(default_factory=dict)

    def keep(self, what: str, secret: str) -> str:
        self.secrets[f"{what} {len(self.secrets)}"] = secret
        return secret

    def found(self) -> list[tuple[str, str]]:
        return [
            (form, what)
            for form, stream in self.streams.items()
            for what, secret in self.secrets.items()
            if _is_in(secret, stream.getvalue())
        ]


def _is_in(secret: str, text: str) -> bool:
    """Whole, or its last third; six digits count where they stand alone."""
    if CODE.fullmatch(secret):
        return re.search(rf"(?<![0-9A-Za-z]){secret}(?![0-9A-Za-z])", text) is not None
    return secret in text or (len(secret) > 40 and secret[-len(secret) // 3 :] in text)


@pytest.fixture
def printed() -> Iterator[Printed]:
    """Both formats' own formatters beside each other, at the root logger, as talkative as can be."""
    root, found = logging.getLogger(), Printed({})
    level, handlers = root.level, []
    for form in ("console", "json"):
        line = dict(logs.configure(form, "DEBUG")["formatters"]["line"])
        handler = logging.StreamHandler(found.streams.setdefault(form, io.StringIO()))
        handler.setFormatter(line.pop("()")(**line))
        handlers.append(handler)
        root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield found
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


@pytest.fixture
def shop(world: World, printed: Printed, settings: Any, tmp_path: Path) -> World:
    """A shop whose SMS go to files, and all that is secret about it and two people."""
    settings.SMS_BACKEND, settings.SMS_URL = "fanfare.sms.to_file", f"file:{tmp_path}"
    for what, secret in {"publishable key": world.publishable, "secret key": world.secret}.items():
        printed.keep(what, secret)
    for address in (ADA, BOB, EVE, PHONE, PHONE.removeprefix("+"), DEVICE):
        printed.keep("address or device", address)
    return world


def sms_code(folder: Path) -> str:
    """The code of the newest SMS."""
    newest = max(folder.glob("otp-*.json"), key=lambda path: path.stat().st_mtime_ns)
    (code,) = CODE.findall(json.loads(newest.read_text())["text"])
    return str(code)


def remember(printed: Printed, who: ConsumerClient) -> ConsumerClient:
    printed.keep("access token", who.token)
    printed.keep("refresh token", who.refresh_token)
    return who


def sign_in(world: World, printed: Printed, folder: Path) -> ConsumerClient:
    """As a guest, by mail, by SMS, by the shop's server; then a refresh."""
    guest = remember(printed, world.consumer(**{"X-Fingerprint": DEVICE}))
    code = printed.keep("code", get_code(world, ADA, by=guest, name="Ada"))
    verify(world, printed.keep("code", wrong(code)), by=guest)
    ada = remember(printed, world.signed_in(verify(world, code, by=guest), **{"X-Fingerprint": DEVICE}))
    ask(world, PHONE)
    texted = printed.keep("code", sms_code(folder))
    remember(printed, world.signed_in(verify(world, texted, PHONE)))
    named = world.authorize("customer-7", email=EVE, email_verified=True).json()
    body = {"exchangeCode": printed.keep("exchange code", named["exchangeCode"])}
    remember(printed, world.signed_in(world.shop_front().post(EXCHANGE, body)))
    assert world.shop_front().post(EXCHANGE, body).status_code == 401
    refreshed = world.shop_front().post("/auth/refresh", {"refreshToken": guest.refresh_token})
    assert refreshed.status_code in (200, 401)
    again = world.shop_front().post("/auth/refresh", {"refreshToken": ada.refresh_token})
    return remember(printed, world.signed_in(again, **{"X-Fingerprint": DEVICE}))


def buy(world: World, printed: Printed, ada: ConsumerClient) -> None:
    """An access code, the line, an admission, the shop's checks, a logout."""
    queue, server = world.queue(session_seconds=600), world.server()
    (text,) = access_codes.generate(world.sequence, 1, now=time.now(), actor="system:test")
    path = f"/experiences/{world.sequence.experience_id}/enter"
    guess = printed.keep("access code", "WRNG-CODE-99")
    assert ada.post(path, {"accessCode": guess}).status_code == 403
    assert ada.post(path, {"accessCode": printed.keep("access code", text)}).status_code == 200
    assert ada.enter(queue).status_code == 200
    server.post(f"/queues/{queue.pk}/admit", {"consumerId": ada.id})
    token = printed.keep("admission token", ada.status(queue).json()["admissionToken"])
    for shown in (token, printed.keep("admission token", tampered(token, sub=ada.id))):
        body = {"consumerId": ada.id, "token": shown}
        server.post(f"/queues/{queue.pk}/validate", body, **{"X-Fingerprint": DEVICE})
    other = printed.keep("fingerprint", "fp_some-other-device")
    body = {"consumerId": ada.id, "token": token}
    assert server.post(f"/queues/{queue.pk}/validate", body, **{"X-Fingerprint": other}).status_code == 403
    server.post(f"/queues/{queue.pk}/complete", {"consumerId": ada.id, "orderId": "A-1"})
    assert ada.post("/auth/logout").status_code == 204


def show_wrong_secrets(world: World, printed: Printed, ada: ConsumerClient) -> None:
    """Secrets that are wrong here may be right elsewhere: a mistyped one, another shop's."""
    unknown = {kind: printed.keep("key", keys.make_text(kind, KeyMode.LIVE)) for kind in KeyKind}
    for text in (*unknown.values(), printed.keep("key", world.secret[:-1] + "!")):
        for headers in ({"X-Publishable-Key": text}, {"Authorization": f"Bearer {text}"}):
            assert ApiClient(headers).get("/organizations/current").status_code == 401
    for token in (tampered(ada.token, guest=True), without_signature(ada.token, "none"), ada.token):
        headers = {"Authorization": f"Bearer {printed.keep('access token', token)}"}
        assert ApiClient(headers).get("/consumers/me").status_code == 401
    front = world.shop_front()
    reversed_ = printed.keep("refresh token", ada.refresh_token[::-1])
    assert front.post("/auth/refresh", {"refreshToken": reversed_}).status_code == 401
    assert front.post("/auth/refresh", {"refreshToken": [reversed_]}).status_code == 400
    assert front.send("POST", "/auth/refresh", f'{{"refreshToken": "{reversed_}"').status_code == 400
    unknown_code = printed.keep("exchange code", "exc_" + "x" * 43)
    assert front.post(EXCHANGE, {"exchangeCode": unknown_code}).status_code == 401
    assert front.get(f"/organizations/current?token={ada.token}&email={ADA}").status_code == 200
    assert front.post("/auth/otp/request", {"email": f"{BOB}@"}).status_code == 400


def use_failing_providers(world: World, settings: Any) -> None:
    for number, backend in enumerate((FAILING, f"{__name__}.Refusing")):
        settings.EMAIL_BACKEND = backend
        assert ask(world, (BOB, EVE)[number]).status_code == 200
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def crash(world: World, table: str, change: str, back: str, call: Callable[[], Any]) -> None:
    """Spoil a table, so that the call crashes on what it was to write there."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} {change}")
        try:
            answer = call()
            assert answer.status_code == 500, answer.content
        finally:
            cursor.execute(back)


def raw_post(world: World, path: str, body: dict[str, Any], **headers: str) -> Any:
    """Not held against the schema, which knows no crash."""
    front = world.shop_front()
    shown = {**front.headers, **headers}
    return front.client.post(f"/api/v1{path}", json.dumps(body), "application/json", headers=shown)


def crash_everywhere(world: World, printed: Printed) -> None:
    """Constraints that nothing can keep, and tables that are gone: PostgreSQL says whole rows then."""
    server = {"Authorization": f"Bearer {world.secret}", "X-Publishable-Key": world.publishable}
    named = {"provider": "shop", "issuer": "https://shop.example.com", "subject": "customer-8"}
    claims = {"email": printed.keep("address", "mallory@example.com"), "email_verified": True}
    code = printed.keep("exchange code", world.authorize("customer-9").json()["exchangeCode"])
    calls = [
        ("auth_otp_otpaddress", lambda: raw_post(world, "/auth/otp/request", {"email": claims["email"]})),
        (
            "auth_otp_otpaddress",
            lambda: raw_post(world, "/auth/otp/verify", {"email": claims["email"], "code": "000000"}),
        ),
        (
            "consumers_consumer",
            lambda: raw_post(world, "/auth/external/authorize", {**named, "claims": claims}, **server),
        ),
        ("consumers_session", lambda: raw_post(world, EXCHANGE, {"exchangeCode": code})),
    ]
    for table, call in calls:
        impossible = "ADD CONSTRAINT impossible CHECK (false) NOT VALID"
        crash(world, table, impossible, f"ALTER TABLE {table} DROP CONSTRAINT impossible", call)
        crash(world, table, "RENAME TO elsewhere", f"ALTER TABLE elsewhere RENAME TO {table}", call)


def crash_in_a_worker(world: World, settings: Any, clock: Any) -> None:
    """A task says its exception in its own words."""
    settings.EMAIL_BACKEND = FAILING
    assert ask(world, EVE, by=browser(world)).status_code == 200
    clock.shift(delivery.RETRY_AFTER.total_seconds() + 1)
    table = "auth_otp_otpchallenge"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT impossible CHECK (false) NOT VALID")
        tasks.send_codes()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT impossible")


def test_no_secret_is_printed(
    shop: World, clock: Any, printed: Printed, settings: Any, tmp_path: Path, capfd: Any
) -> None:
    ada = sign_in(shop, printed, tmp_path)
    buy(shop, printed, ada)
    show_wrong_secrets(shop, printed, ada)
    use_failing_providers(shop, settings)
    crash_everywhere(shop, printed)
    clock.shift(1200)  # as long as one address must wait at most
    crash_in_a_worker(shop, settings, clock)
    out, err = capfd.readouterr()
    printed.streams |= {"stdout": io.StringIO(out), "stderr": io.StringIO(err)}
    for form in ("console", "json"):
        text = printed.streams[form].getvalue()
        said = (
            "/api/v1/auth/otp/verify",
            "otp.not_sent",
            "otp.sent",
            "IntegrityError",
            "OTP_INVALID",
            "Task auth_otp",
        )
        assert [words for words in said if words not in text] == []
    assert printed.found() == []


def test_the_search_finds_each_of_them(shop: World, clock: Any, printed: Printed, tmp_path: Path) -> None:
    """A control: had anybody logged any of them, as a value or as an exception's words."""
    buy(shop, printed, sign_in(shop, printed, tmp_path))
    assert printed.found() == []
    log = structlog.get_logger("tests.control")
    for what, secret in printed.secrets.items():
        log.debug("said", what=what, secret=secret)
    assert len(set(printed.found())) == 2 * len(printed.secrets)
    for stream in printed.streams.values():
        stream.truncate(0)
    for secret in printed.secrets.values():
        try:
            raise ValueError(secret)
        except ValueError as problem:
            log.error("crash", exc_info=problem)
    assert len(set(printed.found())) == 2 * len(printed.secrets)
