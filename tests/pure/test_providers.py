"""`FANFARE_EMAIL_URL` and `FANFARE_SMS_URL`, read."""

import pytest
from django.utils.module_loading import import_string

from fanfare import providers

SMTP = "django.core.mail.backends.smtp.EmailBackend"
WRONG = ["nonsense", "mail.example.com", "ftp://h", "mailto:x", "file:", "://", "/folder", "file://"]
EMAIL_ALONE = ["smtp://mail.example.com", "smtps://mail.example.com"]
SMS_ALONE = ["https://gateway.example.com/send", "http://localhost:9000/"]
BAD_HOSTS = ["smtp://", "smtp+tls://:25", "smtp://h:99999", "smtp://h:abc", "smtp://h:0", "smtp://[::1"]


@pytest.mark.parametrize(
    ("url", "port", "uses"),
    [
        ("smtp://mail.example.com", 25, (False, False)),
        ("smtp+tls://mail.example.com", 587, (True, False)),
        ("smtps://mail.example.com", 465, (False, True)),
        ("SMTPS://Mail.Example.com:2525", 2525, (False, True)),
    ],
)
def test_a_mail_server(url: str, port: int, uses: tuple[bool, bool]) -> None:
    found = providers.email(url)
    assert (found["EMAIL_BACKEND"], found["EMAIL_HOST"]) == (SMTP, "mail.example.com")
    assert found["EMAIL_PORT"] == port
    assert (found.get("EMAIL_USE_TLS", False), found.get("EMAIL_USE_SSL", False)) == uses
    assert found["EMAIL_TIMEOUT"] == 10


def test_who_signs_in_at_the_mail_server() -> None:
    found = providers.email("smtp+tls://shop%40example.com:p%2Fw%3A%25@mail.example.com")
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("shop@example.com", "p/w:%")
    assert providers.email("smtp://h")["EMAIL_HOST_USER"] == ""


@pytest.mark.parametrize("url", ["", "outbox:", "console:", "file:/tmp/mail"])
def test_what_stands_in_for_a_provider(url: str) -> None:
    assert callable(import_string(providers.email(url)["EMAIL_BACKEND"]))
    assert callable(import_string(providers.sms(url)["SMS_BACKEND"]))


def test_a_folder() -> None:
    assert providers.email("file:/tmp/mail")["EMAIL_FILE_PATH"] == "/tmp/mail"
    assert providers.sms("file:/tmp/sms") == {
        "SMS_BACKEND": "fanfare.sms.to_file",
        "SMS_URL": "file:/tmp/sms",
    }


@pytest.mark.parametrize("url", SMS_ALONE)
def test_a_gateway(url: str) -> None:
    assert providers.sms(url) == {"SMS_BACKEND": "fanfare.sms.to_gateway", "SMS_URL": url}


@pytest.mark.parametrize("url", [*WRONG, *SMS_ALONE, *BAD_HOSTS])
def test_no_way_for_mail(url: str) -> None:
    with pytest.raises(ValueError, match=r"^smtp|^file:/folder"):
        providers.email(url)


@pytest.mark.parametrize(
    "url", [*WRONG, *EMAIL_ALONE, "https://", "http://:80/", "https://h:99999/", "https://[::1/"]
)
def test_no_way_for_sms(url: str) -> None:
    with pytest.raises(ValueError, match=r"^https://gateway|^file:/folder"):
        providers.sms(url)
