"""SMS: one function to send, and what may stand behind it: a gateway, a folder, the console, nothing.

The gateway is any HTTP service that takes `POST {"to", "text", "reference"}` as JSON, with a bearer token.
"""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

GATEWAY_SECONDS = 10  # time-out


def send(to: str, text: str, *, organization_id: str, reference: str) -> None:
    """Hand a message to the back end that `FANFARE_SMS_URL` names.

    `to` in E.164; `reference` names the message, so that a gateway can drop one that comes twice.
    Raises httpx.HTTPError, OSError or ImproperlyConfigured when it was not taken.
    """
    import_string(settings.SMS_BACKEND)(to, text, organization_id=organization_id, reference=reference)


def to_gateway(to: str, text: str, *, organization_id: str, reference: str) -> None:
    """Over HTTP; anything but a 2xx is a failure."""
    headers = {"Idempotency-Key": reference}
    if settings.SMS_TOKEN:
        headers["Authorization"] = f"Bearer {settings.SMS_TOKEN}"
    body = {"to": to, "text": text, "reference": reference}
    answer = httpx.post(settings.SMS_URL, json=body, headers=headers, timeout=GATEWAY_SECONDS)
    if not answer.is_success:  # without the address, which may hold a password
        raise httpx.HTTPError(f"The gateway answered {answer.status_code}.")


def to_file(to: str, text: str, *, organization_id: str, reference: str) -> None:
    """One JSON file a message, for tests and trials."""
    folder = Path(urlsplit(settings.SMS_URL).path)
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"to": to, "text": text, "organization": organization_id})
    (folder / f"{reference}.json").write_text(content)


def to_console(to: str, text: str, *, organization_id: str, reference: str) -> None:
    """On standard output."""
    sys.stdout.write(f"SMS to {to}: {text}\n")
    sys.stdout.flush()


def to_nowhere(to: str, text: str, *, organization_id: str, reference: str) -> None:
    """Where no gateway is named: whoever sends is told so."""
    raise ImproperlyConfigured("No SMS gateway is set: FANFARE_SMS_URL.")
