"""A browser without JavaScript, as the tests of the hosted pages use it: it reads pages, and sends forms."""

import json
import re
from html import unescape
from typing import Any

from django.test import Client

from tests.world import World

HOSTED = "/e/"


class Visitor:
    """Keeps cookies, and insists on the forms' own protection against forgery."""

    def __init__(self, world: World, *, language: str = "en", query: str = "", path: str = "") -> None:
        experience = world.sequence.experience
        self.path = path or f"{HOSTED}{world.organization.slug}/{experience.slug}"
        self.query = f"plain=1{query and '&'}{query}"
        self.client = Client(
            enforce_csrf_checks=True, raise_request_exception=False, headers={"Accept-Language": language}
        )

    def look(self) -> str:
        """The page as it is now."""
        answer = self.client.get(f"{self.path}?{self.query}")
        assert answer.status_code == 200, answer.content
        return text_of(answer)

    def press(self, verb: str, page: str | None = None) -> Any:
        """Send the form with this button, of the page as it is now or of an older one."""
        html = page or self.client.get(f"{self.path}?{self.query}").content.decode()
        forms = re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', html, re.DOTALL)
        action, body = next((action, body) for action, body in forms if f'value="{verb}"' in body)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', body))
        return self.client.post(f"{self.path}{unescape(action)}", {**fields, "verb": verb})

    def do(self, verb: str) -> str:
        """Press the button; the page that one is led back to."""
        answer = self.press(verb)
        assert answer.status_code == 303, text_of(answer)
        return self.look()


def page(path: str, **headers: str) -> Any:
    """The answer to whoever opens an address."""
    return Client(raise_request_exception=False).get(path, headers=headers)


def text_of(answer: Any) -> str:
    """What stands on the page, on one line."""
    html = re.sub(r"<(style|script|template)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def told(answer: Any) -> dict[str, Any]:
    """What the page tells its script."""
    found = re.search(r'<script id="told" type="application/json">(.*?)</script>', answer.content.decode())
    assert found is not None
    body: dict[str, Any] = json.loads(found[1])
    return body


def refresh_of(answer: Any) -> int:
    """After how many seconds a page loads itself again."""
    found = re.search(r'http-equiv="refresh" content="(\d+)[";]', answer.content.decode())
    assert found is not None
    return int(found[1])
