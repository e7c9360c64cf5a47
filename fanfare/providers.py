"""How mail and SMS go out, as addresses: `smtp://…`, `https://…`, `outbox:`, `console:`, `file:/folder`.

Read by the settings at the start, so that a wrong one stops it. Nothing of Django is imported here.
"""

from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

SMTP_SECONDS = 10  # time-out
_SMTP = {"smtp": {}, "smtp+tls": {"EMAIL_USE_TLS": True}, "smtps": {"EMAIL_USE_SSL": True}}
_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
_EMAIL = {
    "": "fanfare.mail.Nowhere",
    "outbox": "auth_otp.outbox.EmailBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "file": "django.core.mail.backends.filebased.EmailBackend",
}
_SMS = {
    "": "fanfare.sms.to_nowhere",
    "outbox": "auth_otp.outbox.send_sms",
    "console": "fanfare.sms.to_console",
    "file": "fanfare.sms.to_file",
    "http": "fanfare.sms.to_gateway",
    "https": "fanfare.sms.to_gateway",
}
_EMAIL_EXPECTED = "smtp://, smtp+tls://, smtps://, outbox:, console: or file:/folder"
_SMS_EXPECTED = "https://gateway.example.com/send, outbox:, console: or file:/folder"


def email(url: str) -> dict[str, Any]:
    """Django's settings for `FANFARE_EMAIL_URL`. Raises ValueError with what is expected."""
    parts = _split(url, _EMAIL_EXPECTED)
    if parts.scheme in _SMTP:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": _required(parts.hostname, "smtp+tls://user:password@mail.example.com:587"),
            "EMAIL_PORT": parts.port or _PORTS[parts.scheme],
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_TIMEOUT": SMTP_SECONDS,
            **_SMTP[parts.scheme],
        }
    if parts.scheme not in _EMAIL:
        raise ValueError(_EMAIL_EXPECTED)
    folder = {"EMAIL_FILE_PATH": _required(parts.path, "file:/folder")} if parts.scheme == "file" else {}
    return {"EMAIL_BACKEND": _EMAIL[parts.scheme], **folder}


def sms(url: str) -> dict[str, Any]:
    """Our settings for `FANFARE_SMS_URL`. Raises ValueError with what is expected."""
    parts = _split(url, _SMS_EXPECTED)
    if parts.scheme not in _SMS:
        raise ValueError(_SMS_EXPECTED)
    if parts.scheme in ("http", "https"):
        _required(parts.hostname, "https://gateway.example.com/send")
    if parts.scheme == "file":
        _required(parts.path, "file:/folder")
    return {"SMS_BACKEND": _SMS[parts.scheme], "SMS_URL": url}


def _split(url: str, expected: str) -> SplitResult:
    """Its parts. A name without a scheme is a mistake; nothing at all means no provider."""
    try:
        parts = urlsplit(url)
        is_address = bool(parts.scheme) and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is none, half an IPv6 address
        is_address = False
    if url and not is_address:
        raise ValueError(expected)
    return parts


def _required(value: str | None, expected: str) -> str:
    if not value:
        raise ValueError(expected)
    return value
