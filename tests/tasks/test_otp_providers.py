"""What codes are handed to: folders, the console, an HTTP gateway that listens, the shown outbox."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from django.test import override_settings

from auth_otp import tasks
from auth_otp.models import OutboxMessage
from fanfare import clock as time
from fanfare import providers
from tests.api.mailbox import ADA, PHONE, ask, get_code, html_of, last_challenge, mails, verify
from tests.world import World


def test_sms_into_a_folder(world: World, clock: Any, tmp_path: Path) -> None:
    with override_settings(**providers.sms(f"file:{tmp_path}/deep/down")):
        ask(world, PHONE)
    (found,) = (tmp_path / "deep" / "down").iterdir()
    told = json.loads(found.read_text())
    assert (told["to"], told["organization"]) == (PHONE, world.organization.id)
    assert verify(world, told["text"][:6], PHONE).status_code == 200


def test_sms_on_the_console(world: World, clock: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(**providers.sms("console:")):
        ask(world, PHONE)
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith(f"SMS to {PHONE}: ")]
    assert verify(world, line.removeprefix(f"SMS to {PHONE}: ")[:6], PHONE).status_code == 200


class Gateway(BaseHTTPRequestHandler):
    """An SMS gateway: answers with the statuses it is told, the last one for good."""

    statuses: ClassVar[list[int]]
    seen: ClassVar[list[tuple[str, dict[str, str], dict[str, str]]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def gateway() -> Iterator[str]:
    """The address of a gateway that listens, with a password in it; it takes everything."""
    Gateway.statuses, Gateway.seen = [202], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/send?account=hush-hush"
        with override_settings(**providers.sms(url), SMS_TOKEN="token-of-the-shop"):
            yield url
        server.shutdown()


@pytest.mark.parametrize("status", [200, 202, 204])
def test_sms_through_a_gateway(world: World, clock: Any, gateway: str, status: int) -> None:
    Gateway.statuses = [status]
    ask(world, PHONE)
    ((path, headers, body),) = Gateway.seen
    row = last_challenge(PHONE)
    assert path == "/send?account=hush-hush"
    assert headers["authorization"] == "Bearer token-of-the-shop"
    assert headers["idempotency-key"] == body["reference"] == f"otp-{row.pk}"
    assert headers["content-type"] == "application/json"
    assert (body["to"], set(body)) == (PHONE, {"to", "text", "reference"})
    assert (row.sent_at, row.box, row.problem) == (time.now(), None, "")
    assert verify(world, body["text"][:6], PHONE).status_code == 200


def test_without_a_token_none_is_sent(world: World, clock: Any, gateway: str) -> None:
    with override_settings(SMS_TOKEN=""):
        ask(world, PHONE)
    assert "authorization" not in Gateway.seen[0][1]


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
def test_a_gateway_that_refuses(
    world: World, clock: Any, gateway: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Another try, with the same key, so that the gateway can drop one that came twice. The address of
    the gateway, which may hold a password, stands neither in the row nor in the log.
    """
    Gateway.statuses = [status, 200]
    caplog.set_level(logging.INFO)
    assert ask(world, PHONE).status_code == 200
    row = last_challenge(PHONE)
    assert row.problem == f"HTTPError: The gateway answered {status}."
    assert (row.sent_at, row.tries) == (None, 1)
    clock.shift(30)
    tasks.send_codes()
    row = last_challenge(PHONE)
    assert (row.sent_at, row.problem, row.tries) == (time.now(), "", 2)
    first, second = Gateway.seen
    assert first[1]["idempotency-key"] == second[1]["idempotency-key"]
    assert first[2]["text"][:6] == second[2]["text"][:6]
    assert "otp.not_sent" in caplog.text
    for secret in ("hush-hush", "token-of-the-shop", PHONE, first[2]["text"][:6]):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/send", "https://gate way/send", "http://münchen.invalid/"]
)
def test_a_gateway_that_is_not_there(world: World, clock: Any, url: str) -> None:
    with override_settings(**providers.sms(url)):
        assert ask(world, PHONE).status_code == 200
    row = last_challenge(PHONE)
    assert (row.tries, row.sent_at) == (1, None)
    assert row.problem != ""


# --- What is shown instead of sent ---


def test_the_outbox_shows_mail(world: World, clock: Any) -> None:
    world.organization.name = "Käse & Söhne " * 15
    world.organization.save()
    with override_settings(**providers.email("outbox:")):
        ask(world)
    shown = OutboxMessage.objects.get()
    assert (shown.organization_id, shown.channel, shown.address) == (world.organization.id, "email", ADA)
    code = shown.subject[:6]
    assert code in shown.text
    assert f">{code}<" in shown.html
    assert shown.created_at == time.now()
    assert last_challenge().sent_at == time.now()
    assert verify(world, code).status_code == 200


def test_the_outbox_shows_sms(world: World, clock: Any) -> None:
    with override_settings(**providers.sms("outbox:")):
        code = get_code(world, PHONE)
    shown = OutboxMessage.objects.get()
    assert (shown.organization_id, shown.channel, shown.address) == (world.organization.id, "phone", PHONE)
    assert (shown.subject, shown.html) == ("", "")
    assert shown.text.startswith(code)


def test_mail_into_a_folder(world: World, clock: Any, tmp_path: Path) -> None:
    with override_settings(**providers.email(f"file:{tmp_path}")):
        ask(world)
    (found,) = tmp_path.iterdir()
    assert f"To: {ADA}" in found.read_text()
    get_code(world, "bob@example.com")
    assert html_of(mails("bob@example.com")[0])  # the folder is left again
