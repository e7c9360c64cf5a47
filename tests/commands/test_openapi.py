"""`manage.py openapi` prints what the API says of itself."""

import io
import json

from django.core.management import call_command
from django.test import Client


def test_it_is_what_the_endpoint_answers(client: Client) -> None:
    out = io.StringIO()
    call_command("openapi", stdout=out)
    printed = json.loads(out.getvalue())
    assert "/api/v1/queues/{id}/enter" in printed["paths"]
    assert printed == client.get("/api/v1/openapi.json").json()
